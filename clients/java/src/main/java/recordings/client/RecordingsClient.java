package recordings.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import recordings.client.errors.ClientClosedException;
import recordings.client.errors.DeadlineExceededException;
import recordings.client.errors.EnqueueFailedException;
import recordings.client.errors.Failure;
import recordings.client.errors.RecordingFailedException;
import recordings.client.errors.RecordingNotFoundException;
import recordings.client.errors.RecordingsException;
import recordings.v1.BatchEnqueueRecordingsRequest;
import recordings.v1.BatchEnqueueRecordingsResult;
import recordings.v1.CreatePlaybackUrlRequest;
import recordings.v1.CreatePlaybackUrlResponse;
import recordings.v1.DeleteRecordingRequest;
import recordings.v1.DeleteRecordingResponse;
import recordings.v1.EnqueueRecordingRequest;
import recordings.v1.EnqueueRecordingResponse;
import recordings.v1.GetRecordingRequest;
import recordings.v1.ListRecordingsRequest;
import recordings.v1.Recording;
import recordings.v1.RecordingServiceGrpc;
import recordings.v1.ReportRecordingUnavailableRequest;
import recordings.v1.WatchRecordingRequest;

/**
 * A client of the recording service. For any number of threads; make one and keep it, as it has the connection.
 *
 * <p>Every call has a deadline and throws {@link RecordingsException}, typed by the service's reason; calls that may be
 * repeated are retried while the service is away. {@link #close} ends everything that is under way or open.
 */
public final class RecordingsClient implements AutoCloseable {
    private final Connection connection;

    RecordingsClient(Connection connection) {
        this.connection = connection;
    }

    /** A client of the service there: {@code 127.0.0.1:50051}, {@code dns:///…}, {@code unix:/…}. */
    public static RecordingsClientBuilder builder(String target) {
        return new RecordingsClientBuilder(target);
    }

    /** Asks for a recording, with nothing but its SID: see {@link #enqueue(EnqueueRecordingRequest)}. */
    public EnqueueRecordingResponse enqueue(String recordingSid) {
        return enqueue(EnqueueRecordingRequest.newBuilder().setRecordingSid(recordingSid).build());
    }

    /**
     * Asks for a recording: ENQUEUED, CACHED or DUPLICATE. Idempotent.
     *
     * @throws EnqueueFailedException anything else: it isn't certain that the recording is queued, and asking again is
     *     safe
     */
    public EnqueueRecordingResponse enqueue(EnqueueRecordingRequest request) {
        return Answers.accepted(connection.call(RecordingServiceGrpc.getEnqueueRecordingMethod(), request));
    }

    /**
     * Asks for up to 1000 recordings. Idempotent.
     *
     * @return one result a request, in their order; one with the reason ERROR says why, and doesn't fail the others
     * @throws EnqueueFailedException a result has a reason that this client doesn't know
     */
    public List<BatchEnqueueRecordingsResult> batchEnqueue(List<EnqueueRecordingRequest> requests) {
        BatchEnqueueRecordingsRequest batch =
                BatchEnqueueRecordingsRequest.newBuilder().addAllRequests(requests).build();
        return Answers.results(
                connection.call(RecordingServiceGrpc.getBatchEnqueueRecordingsMethod(), batch).getResultsList(),
                requests.size());
    }

    /** Says that Twilio has no such recording, and gives it as it is then. Idempotent. */
    public Recording reportUnavailable(ReportRecordingUnavailableRequest request) {
        var answer = connection.call(RecordingServiceGrpc.getReportRecordingUnavailableMethod(), request);
        return Answers.present(answer.hasRecording(), answer.getRecording());
    }

    /** The recording as it is now: see {@link #get(GetRecordingRequest)}. */
    public Recording get(String recordingSid) {
        return get(GetRecordingRequest.newBuilder().setRecordingSid(recordingSid).build());
    }

    /**
     * The recording as it is now.
     *
     * @throws RecordingNotFoundException it is unknown, or was deleted
     */
    public Recording get(GetRecordingRequest request) {
        var answer = connection.call(RecordingServiceGrpc.getGetRecordingMethod(), request);
        return Answers.present(answer.hasRecording(), answer.getRecording());
    }

    /** The recordings that match, of every page, newest first. A page is asked for when it is needed. */
    public RecordingList list(ListRecordingsRequest request) {
        connection.checkOpen();
        return new RecordingList(connection, request);
    }

    /** The recording as it is, then after each change: see {@link #watch(WatchRecordingRequest)}. */
    public RecordingWatch watch(String recordingSid) {
        return watch(watching(recordingSid));
    }

    /**
     * The recording as it is, then after each change, until the service says that there is no more to come. Gives up
     * once {@code resumeAttempts} streams in a row have brought nothing.
     */
    public RecordingWatch watch(WatchRecordingRequest request) {
        return new RecordingWatch(connection, request, null);
    }

    /** The same for so long, in spite of all breaks; then {@link DeadlineExceededException}. */
    public RecordingWatch watch(WatchRecordingRequest request, Duration timeout) {
        return new RecordingWatch(connection, request, timeout);
    }

    /** Waits for the READY recording: see {@link #waitUntilReady(WatchRecordingRequest, Duration)}. */
    public Recording waitUntilReady(String recordingSid, Duration timeout) {
        return waitUntilReady(watching(recordingSid), timeout);
    }

    /**
     * Waits for the READY recording, without polling.
     *
     * @param timeout null for as long as the service can be reached
     * @throws RecordingFailedException it will not come
     * @throws RecordingNotFoundException it is unknown, or was deleted
     * @throws DeadlineExceededException it isn't READY in time
     */
    public Recording waitUntilReady(WatchRecordingRequest request, Duration timeout) {
        try (RecordingWatch watch = new RecordingWatch(connection, request, timeout)) {
            return Readiness.await(watch);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RecordingsException(
                    Failure.of("the thread was interrupted while it waited", Status.Code.CANCELLED), e);
        }
    }

    /** All of a recording, to be read: see {@link #open(OpenOptions)}. */
    public RecordingChannel open(String recordingSid) {
        return open(OpenOptions.of(recordingSid));
    }

    /** A recording, or a part of it, to be read. Asks nothing of the service until it is read. */
    public RecordingChannel open(OpenOptions options) {
        return new RecordingChannel(connection, options);
    }

    /** A URL by which whoever has it may play the recording over HTTP until it expires: it belongs in no log. */
    public CreatePlaybackUrlResponse createPlaybackUrl(CreatePlaybackUrlRequest request) {
        return connection.call(RecordingServiceGrpc.getCreatePlaybackUrlMethod(), request);
    }

    /**
     * Deletes a recording's bytes and all pending work, for good. Idempotent with {@code allow_missing}, and not
     * retried: the second answer would be that there is nothing.
     *
     * @return the tombstone; empty if the recording was never known
     * @throws RecordingNotFoundException it is unknown or deleted already, and nothing allows that
     */
    public Optional<Recording> delete(DeleteRecordingRequest request) {
        DeleteRecordingResponse answer = connection.call(RecordingServiceGrpc.getDeleteRecordingMethod(), request);
        return answer.hasRecording() ? Optional.of(answer.getRecording()) : Optional.empty();
    }

    /**
     * Ends what is under way and closes what was opened, at once. Idempotent. Whatever is called afterwards throws
     * {@link ClientClosedException}.
     */
    @Override
    public void close() {
        connection.close();
    }

    private static WatchRecordingRequest watching(String recordingSid) {
        return WatchRecordingRequest.newBuilder().setRecordingSid(recordingSid).build();
    }
}

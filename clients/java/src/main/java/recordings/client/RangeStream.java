package recordings.client;

import com.google.protobuf.ByteString;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import recordings.client.errors.ClientClosedException;
import recordings.client.errors.Failure;
import recordings.client.errors.RecordingsException;
import recordings.client.errors.UnavailableException;
import recordings.v1.RecordingServiceGrpc;
import recordings.v1.StreamRecordingRequest;
import recordings.v1.StreamRecordingResponse;

/**
 * Brings one range in order, over as many gRPC streams as it takes. It moves the messages and waits; what they mean is
 * {@link RangeReading}'s.
 *
 * <p>Reading is for one thread at a time; {@link #cancel} is for any.
 */
final class RangeStream {
    /** How long a stream that has brought everything may take to end. */
    private static final long FINISH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final MethodDescriptor<StreamRecordingRequest, StreamRecordingResponse> STREAM_RECORDING =
            ReceivedMessages.of(
                    RecordingServiceGrpc.getStreamRecordingMethod(), StreamRecordingResponse.parser());

    private final Connection connection;
    private final RangeReading reading;
    private final Setbacks setbacks;
    private final CountDownLatch cancelled = new CountDownLatch(1);
    /** The gRPC stream; null while there is none. */
    private volatile MessageStream<StreamRecordingResponse> stream;
    private boolean streamHasBegun;

    RangeStream(Connection connection, ByteRange wanted) {
        this.connection = connection;
        this.reading = new RangeReading(wanted);
        this.setbacks = new Setbacks(connection.options(), false);
    }

    /** What the first message has said; null before the first {@link #read}. */
    Opening opening() {
        return reading.opening();
    }

    /** Whether every byte has come. */
    boolean isComplete() {
        return reading.isComplete();
    }

    /**
     * The next bytes, at most a message. Empty once all of the range has come, or where the first message of all has
     * brought none.
     *
     * @throws RecordingsException the rest can't be had, or not now
     */
    ByteString read() throws InterruptedException {
        while (!reading.isComplete()) {
            try {
                boolean known = reading.opening() != null;
                ByteString data = receive();
                if (!data.isEmpty() || !known) {
                    setbacks.messageCame();
                    return data;
                }
            } catch (RecordingsException e) {
                dropStream();
                // Cancelling ends the wait.
                cancelled.await(setbacks.after(e), TimeUnit.NANOSECONDS);
            }
        }
        return ByteString.EMPTY;
    }

    /** Lets a stream that has brought everything end by itself: the service would take it for an abandoned one. */
    void letItEnd() throws InterruptedException {
        MessageStream<StreamRecordingResponse> ending = stream;
        if (ending != null && reading.isComplete()) {
            try {
                ending.next(FINISH_NANOS);
            } catch (StatusRuntimeException | TimeoutException e) {
                // Every byte is here: how the stream ends changes nothing.
            } finally {
                dropStream();
            }
        }
    }

    /** Gives everything up at once, and wakes who reads. Idempotent. */
    void cancel() {
        cancelled.countDown();
        dropStream();
    }

    private ByteString receive() throws InterruptedException {
        MessageStream<StreamRecordingResponse> open = opened();
        StreamRecordingResponse message;
        try {
            message = open.next(connection.options().stallTimeout().toNanos());
        } catch (TimeoutException e) {
            throw unavailable("the stream has brought nothing for too long");
        } catch (StatusRuntimeException e) {
            checkNotCancelled();
            throw connection.translated(e);
        }
        if (message == null) {
            throw streamHasBegun
                    ? unavailable("the stream has ended before its last byte")
                    : RangeReading.withoutFirst();
        }
        boolean isFirst = !streamHasBegun;
        streamHasBegun = true;
        return isFirst ? reading.first(message) : reading.later(message);
    }

    private MessageStream<StreamRecordingResponse> opened() {
        MessageStream<StreamRecordingResponse> open = stream;
        if (open == null) {
            checkNotCancelled();
            open = connection.stream(STREAM_RECORDING, reading.request(), 0);
            streamHasBegun = false;
            stream = open;
        }
        if (cancelled.getCount() == 0) {
            // `cancel` may have looked before there was a stream.
            dropStream();
            checkNotCancelled();
        }
        return open;
    }

    private void dropStream() {
        MessageStream<StreamRecordingResponse> dropped = stream;
        if (dropped != null) {
            dropped.cancel();
            stream = null;
        }
    }

    private void checkNotCancelled() {
        if (cancelled.getCount() == 0) {
            throw new ClientClosedException(Failure.of("the reader is closed"), null);
        }
    }

    private static UnavailableException unavailable(String how) {
        return new UnavailableException(Failure.of(how, Status.Code.UNAVAILABLE), null);
    }
}

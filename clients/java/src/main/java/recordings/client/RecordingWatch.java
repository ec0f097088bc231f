package recordings.client;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.Closeable;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import recordings.client.errors.ClientClosedException;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.DeadlineExceededException;
import recordings.client.errors.Failure;
import recordings.client.errors.RecordingsException;
import recordings.client.errors.UnavailableException;
import recordings.v1.Recording;
import recordings.v1.RecordingServiceGrpc;
import recordings.v1.WatchRecordingRequest;
import recordings.v1.WatchRecordingResponse;

/**
 * The recording as it is, then after each change, each revision once; it ends when the service says so. It opens its
 * stream again by itself and never polls. Close it: it has a stream open.
 *
 * <p>{@link #hasNext} waits. It throws {@link RecordingsException}: {@link DeadlineExceededException} when the time is
 * over, another when the service refuses or can't be reached any more, {@link ClientClosedException} when the watch was
 * closed while somebody waited. To be iterated by one thread at a time; {@link #close} is for any.
 */
public final class RecordingWatch implements Iterator<Recording>, Closeable {
    private final Connection connection;
    private final WatchRecordingRequest request;
    private final Setbacks setbacks;
    /** When the time is over, by System.nanoTime; null for never. */
    private final Long until;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile MessageStream<WatchRecordingResponse> stream;
    private Recording next;
    private Long lastRevision;
    private boolean ended;

    /**
     * Begins to watch with the first {@link #hasNext}.
     *
     * @param timeout of all of it; null for none: then it gives up as a reader does
     */
    RecordingWatch(Connection connection, WatchRecordingRequest request, Duration timeout) {
        this.connection = connection;
        this.request = request;
        this.setbacks = new Setbacks(connection.options(), timeout != null);
        this.until = timeout == null ? null : System.nanoTime() + nanosOf(timeout);
        connection.add(this);
    }

    /** Waits for the next look at the recording; false once the service has ended the watch, or it was closed. */
    @Override
    public boolean hasNext() {
        if (next == null) {
            try {
                next = advance();
            } catch (InterruptedException e) {
                close();
                Thread.currentThread().interrupt();
                throw new RecordingsException(
                        Failure.of("the thread was interrupted while it watched", Status.Code.CANCELLED), e);
            }
        }
        return next != null;
    }

    @Override
    public Recording next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the watch has ended");
        }
        Recording look = next;
        next = null;
        return look;
    }

    /** Cancels the stream at once. Idempotent. */
    @Override
    public void close() {
        closed.countDown();
        connection.remove(this);
        dropStream();
    }

    /** The next look; null at the end. Throws what {@link #hasNext} throws. */
    Recording advance() throws InterruptedException {
        try {
            while (!ended) {
                if (closed.getCount() == 0) {
                    connection.checkOpen();
                    ended = true;
                    break;
                }
                Recording look = receive();
                if (look != null) {
                    return look;
                }
            }
            return null;
        } catch (RecordingsException e) {
            ended = true;
            close();
            throw e;
        }
    }

    /** A look; null where there was none, and one has to look again. */
    private Recording receive() throws InterruptedException {
        long left = left();
        try {
            MessageStream<WatchRecordingResponse> open = opened(left);
            // A second more than the stream's own deadline, which comes first.
            WatchRecordingResponse message = open.next(left + TimeUnit.SECONDS.toNanos(1));
            if (message == null) {
                end();
                return null;
            }
            setbacks.messageCame();
            Recording look = message.getRecording();
            if (lastRevision != null && lastRevision == look.getRevision()) {
                return null;
            }
            lastRevision = look.getRevision();
            return look;
        } catch (TimeoutException e) {
            waitAfter(unavailable("the watch has outlived its deadline", e));
        } catch (StatusRuntimeException e) {
            if (closed.getCount() == 0) {
                connection.checkOpen();
                throw new ClientClosedException(Failure.of("the watch is closed"), null);
            }
            RecordingsException error = connection.translated(e);
            // The stream's own deadline is no fault of anyone, as long as there is time left.
            waitAfter(error instanceof DeadlineExceededException ? unavailable(error.getMessage(), error) : error);
        }
        return null;
    }

    private MessageStream<WatchRecordingResponse> opened(long left) {
        MessageStream<WatchRecordingResponse> open = stream;
        if (open == null) {
            open = connection.stream(RecordingServiceGrpc.getWatchRecordingMethod(), request, left);
            stream = open;
            if (closed.getCount() == 0) {
                // `close` may have looked before there was a stream.
                dropStream();
            }
        }
        return open;
    }

    private void end() {
        ended = true;
        close();
        if (lastRevision == null) {
            throw new ContractBrokenException(Failure.of("a watch that ends before its first look"), null);
        }
    }

    /** How long this stream may last, in nanoseconds. */
    private long left() {
        long most = Defaults.VALUES.watchTimeout().toNanos();
        if (until == null) {
            return most;
        }
        long left = until - System.nanoTime();
        if (left <= 0) {
            throw new DeadlineExceededException(
                    Failure.of("the time to watch the recording is over", Status.Code.DEADLINE_EXCEEDED), null);
        }
        return Math.min(left, most);
    }

    private void waitAfter(RecordingsException error) throws InterruptedException {
        dropStream();
        // Not past the end of all, and closing ends the wait.
        closed.await(Math.min(setbacks.after(error), left()), TimeUnit.NANOSECONDS);
    }

    private void dropStream() {
        MessageStream<WatchRecordingResponse> dropped = stream;
        if (dropped != null) {
            dropped.cancel();
            stream = null;
        }
    }

    private static UnavailableException unavailable(String how, Throwable cause) {
        return new UnavailableException(Failure.of(how, Status.Code.UNAVAILABLE), cause);
    }

    /** Of what is longer than a century, a century: more than a long can count is none. */
    private static long nanosOf(Duration timeout) {
        Duration century = Duration.ofDays(36_500);
        return (timeout.compareTo(century) > 0 ? century : timeout).toNanos();
    }
}

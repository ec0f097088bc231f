package recordings.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One server stream, read message by message. At most a few messages are under way: gRPC is asked for one more whenever
 * one is taken. Everything that gRPC has to say is done in the thread that reads, so that a message costs one change of
 * thread; and a stream that nobody reads costs none.
 *
 * <p>{@link #next} is for one thread at a time, {@link #cancel} for any.
 */
final class MessageStream<T> {
    /** Messages asked for beyond the one in use: enough to come while it is used. */
    private static final int AHEAD = 4;

    private final BlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
    private final Queue<T> messages = new ArrayDeque<>();
    /** Set before anything is started, and not changed. */
    private ClientCall<?, T> call;
    private StatusRuntimeException failure;
    private boolean ended;
    private volatile boolean cancelled;

    private MessageStream() {}

    /** Opens a stream with that request. It fails, if it does, in {@link #next}. */
    static <Q, T> MessageStream<T> open(
            Channel channel, MethodDescriptor<Q, T> method, CallOptions options, Q request) {
        MessageStream<T> stream = new MessageStream<>();
        ClientCall<Q, T> call = channel.newCall(method, options.withExecutor(stream::execute));
        stream.call = call;
        call.start(stream.new Listener(), new Metadata());
        call.request(AHEAD);
        call.sendMessage(request);
        call.halfClose();
        return stream;
    }

    /**
     * The next message; null at the stream's end with OK.
     *
     * @param withinNanos how long to wait for it
     * @throws TimeoutException it has not come in time; it may still come
     * @throws StatusRuntimeException the stream has failed, or was cancelled
     * @throws InterruptedException the thread was interrupted while it waited
     */
    T next(long withinNanos) throws InterruptedException, TimeoutException {
        long until = System.nanoTime() + withinNanos;
        while (true) {
            if (cancelled) {
                throw Status.CANCELLED.withDescription("the stream was cancelled here").asRuntimeException();
            }
            T message = messages.poll();
            if (message != null) {
                call.request(1);
                return message;
            }
            if (failure != null) {
                throw failure;
            }
            if (ended) {
                return null;
            }
            Runnable task = work.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (task == null) {
                throw new TimeoutException();
            }
            task.run();
        }
    }

    /** Gives the stream up at once, and wakes who reads it. Idempotent, and nothing if it has ended. */
    void cancel() {
        cancelled = true;
        call.cancel("the reader has left", null);
        drain();
    }

    private void execute(Runnable task) {
        work.add(task);
        if (cancelled) {
            drain();
        }
    }

    /** What gRPC still has to say must be heard: it holds buffers until then. */
    private void drain() {
        for (Runnable task = work.poll(); task != null; task = work.poll()) {
            task.run();
        }
        // Wakes who reads; last, as another thread that drains would take it away.
        work.add(() -> {});
    }

    /** What gRPC calls; always in the thread that reads, until the stream is cancelled. */
    private final class Listener extends ClientCall.Listener<T> {
        @Override
        public void onMessage(T message) {
            if (!cancelled) {
                messages.add(message);
            }
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            if (status.isOk()) {
                ended = true;
            } else {
                failure = status.asRuntimeException(trailers);
            }
        }
    }
}

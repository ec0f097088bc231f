package recordings.client;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import recordings.client.errors.ClientClosedException;
import recordings.client.errors.Failure;
import recordings.client.errors.RecordingsException;

/** The channel, how calls are made on it, and what is open on it. For any thread. */
final class Connection {
    /** How long gRPC may take to let its connections go. */
    private static final long SHUTDOWN_SECONDS = 5;

    private final ClientOptions options;
    private final ManagedChannel channel;
    /** Weak, so that what was dropped without being closed isn't kept for as long as the client. */
    private final Set<Closeable> opened = Collections.newSetFromMap(new WeakHashMap<>());
    private volatile boolean closed;

    Connection(ClientOptions options) {
        this.options = options;
        this.channel = Channels.open(options);
    }

    ClientOptions options() {
        return options;
    }

    /**
     * The answer to a call that has one.
     *
     * @throws RecordingsException there is none
     */
    <Q, A> A call(MethodDescriptor<Q, A> method, Q request) {
        checkOpen();
        CallOptions within = CallOptions.DEFAULT.withDeadlineAfter(options.timeout().toNanos(), TimeUnit.NANOSECONDS);
        try {
            return ClientCalls.blockingUnaryCall(channel, method, within, request);
        } catch (StatusRuntimeException e) {
            throw translated(e);
        }
    }

    /**
     * Opens a stream.
     *
     * @param withinNanos its deadline; 0 for none
     * @throws ClientClosedException the client is closed
     */
    <Q, A> MessageStream<A> stream(MethodDescriptor<Q, A> method, Q request, long withinNanos) {
        checkOpen();
        CallOptions call = withinNanos == 0
                ? CallOptions.DEFAULT
                : CallOptions.DEFAULT.withDeadlineAfter(withinNanos, TimeUnit.NANOSECONDS);
        return MessageStream.open(channel, method, call, request);
    }

    /** The error that a failed call is; of a client that was closed meanwhile, that. */
    RecordingsException translated(StatusRuntimeException error) {
        return closed ? closedMeanwhile() : Translation.of(error);
    }

    /**
     * Remembers what was opened, to end it with the client.
     *
     * @throws ClientClosedException it is closed already
     */
    void add(Closeable it) {
        synchronized (opened) {
            checkOpen();
            opened.add(it);
        }
    }

    /** Forgets what has ended. */
    void remove(Closeable it) {
        synchronized (opened) {
            opened.remove(it);
        }
    }

    void checkOpen() {
        if (closed) {
            throw closedMeanwhile();
        }
    }

    /** Ends everything at once. Idempotent. */
    void close() {
        List<Closeable> left;
        synchronized (opened) {
            closed = true;
            left = List.copyOf(opened);
            opened.clear();
        }
        left.forEach(Connection::end);
        channel.shutdownNow();
        try {
            channel.awaitTermination(SHUTDOWN_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            // It goes on in the background.
            Thread.currentThread().interrupt();
        }
    }

    private static void end(Closeable it) {
        try {
            it.close();
        } catch (IOException e) {
            throw new UncheckedIOException("closing cancels calls, which can't fail", e);
        }
    }

    private static ClientClosedException closedMeanwhile() {
        return new ClientClosedException(Failure.of("the client is closed"), null);
    }
}

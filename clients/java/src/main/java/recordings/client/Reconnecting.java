package recordings.client;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Makes a channel that has lost the service try again soon. Left alone, gRPC for Java waits up to two minutes between
 * attempts and has no option for it: a service that was away for a while would seem to be away for longer.
 */
final class Reconnecting {
    private final ManagedChannel channel;
    private final long initialNanos;
    private final long maxNanos;
    /** Whether an attempt is due; there is at most one. */
    private final AtomicBoolean due = new AtomicBoolean();

    Reconnecting(ManagedChannel channel, Duration initial, Duration max) {
        this.channel = channel;
        this.initialNanos = initial.toNanos();
        this.maxNanos = max.toNanos();
    }

    /** Looks after the channel from now on, until it is shut down. */
    void begin() {
        ConnectivityState state = channel.getState(false);
        if (state == ConnectivityState.SHUTDOWN) {
            return;
        }
        if (state == ConnectivityState.TRANSIENT_FAILURE && due.compareAndSet(false, true)) {
            tryAfter(initialNanos);
        }
        channel.notifyWhenStateChanged(state, this::begin);
    }

    private void tryAfter(long nanos) {
        // The JDK's own timer thread: none to own here, and what is due is over within a second of the shutdown.
        CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, Runnable::run).execute(() -> {
            if (hasFailed()) {
                channel.resetConnectBackoff();
                tryAfter(Math.min(2 * nanos, maxNanos));
                return;
            }
            due.set(false);
            // Between the look and the line above it may have failed again, and found an attempt due.
            if (hasFailed() && due.compareAndSet(false, true)) {
                tryAfter(initialNanos);
            }
        });
    }

    private boolean hasFailed() {
        return channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE;
    }
}

package recordings.client;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for what has to become true, and not for longer than it may take. */
final class Eventually {
    private static final Duration MOST = Duration.ofSeconds(10);

    private Eventually() {}

    static void holds(String what, Callable<Boolean> condition) throws Exception {
        long until = System.nanoTime() + MOST.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("it never became true that " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }
}

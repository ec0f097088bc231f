package recordings.client;

import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import recordings.client.errors.RecordingsException;

/** When a broken stream is opened again, and after how long: c and e of clients/README.md. */
final class Setbacks {
    /** The service's sweep of streams that nobody reads, and a RST_STREAM of something in between. */
    private static final Set<Status.Code> ONCE_BEGUN = Set.of(Status.Code.CANCELLED, Status.Code.INTERNAL);
    /** Doubled so often, every first wait is past any longest one. */
    private static final int MOST_DOUBLINGS = 30;

    private static final Duration LONGEST = Duration.ofHours(1);

    private final ClientOptions options;
    private final boolean unlimited;
    private boolean begun;
    private int count;

    /**
     * Counts nothing yet.
     *
     * @param unlimited whether there is a deadline, until which it goes on
     */
    Setbacks(ClientOptions options, boolean unlimited) {
        this.options = options;
        this.unlimited = unlimited;
    }

    /** There is progress: the count begins anew. */
    void messageCame() {
        count = 0;
        begun = true;
    }

    /**
     * How long to wait before the next attempt: full jitter, and what the service asks for at least.
     *
     * @return nanoseconds
     * @throws RecordingsException the error itself, if another attempt would not help or there were enough
     */
    long after(RecordingsException error) {
        boolean usedUp = !unlimited && count >= options.resumeAttempts();
        if (usedUp || !mayHelp(error)) {
            throw error;
        }
        double doubled = options.resumeInitialBackoff().toNanos() * Math.pow(2, Math.min(count, MOST_DOUBLINGS));
        double ceiling = Math.min(doubled, options.resumeMaxBackoff().toNanos());
        count++;
        long jitter = Math.round(ThreadLocalRandom.current().nextDouble() * ceiling);
        return Math.max(jitter, error.retryDelay().map(Setbacks::bounded).orElse(Duration.ZERO).toNanos());
    }

    /** An hour is more than anybody asks for in earnest; what a long can't count in nanoseconds is none. */
    private static Duration bounded(Duration asked) {
        return asked.compareTo(LONGEST) > 0 ? LONGEST : asked;
    }

    private boolean mayHelp(RecordingsException error) {
        Status.Code code = error.code().orElse(null);
        if (code == null || Context.current().isCancelled()) {
            // The client's own finding; or the caller's gRPC context is over, and with it every call made in it.
            return false;
        }
        return code == Status.Code.UNAVAILABLE
                || code == Status.Code.RESOURCE_EXHAUSTED && error.retryDelay().isPresent()
                || begun && ONCE_BEGUN.contains(code);
    }
}

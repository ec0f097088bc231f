package recordings.client;

import java.time.Duration;

/**
 * What {@link RecordingsClient#open(OpenOptions)} opens: {@code OpenOptions.of(sid).offset(1000).length(500)}.
 * Immutable: each method gives another one.
 */
public final class OpenOptions {
    private final String recordingSid;
    private String accountSid = "";
    private long offset;
    private Long length;
    private String etag = "";
    private boolean waits;
    private Duration waitTimeout;

    private OpenOptions(String recordingSid) {
        this.recordingSid = recordingSid;
    }

    /** All of that recording, in whichever version is current, and now. */
    public static OpenOptions of(String recordingSid) {
        return new OpenOptions(recordingSid);
    }

    /** Twilio's account. Not needed: the recording is found by its own SID. */
    public OpenOptions accountSid(String value) {
        OpenOptions other = copy();
        other.accountSid = value;
        return other;
    }

    /**
     * The first byte of the part, counted from 0.
     *
     * @throws IllegalArgumentException it is negative
     */
    public OpenOptions offset(long value) {
        OpenOptions other = copy();
        other.offset = notNegative("offset", value);
        return other;
    }

    /**
     * How many bytes the part has; more than there are is clipped. Without: all to the end.
     *
     * @throws IllegalArgumentException it is negative
     */
    public OpenOptions length(long value) {
        OpenOptions other = copy();
        other.length = notNegative("length", value);
        return other;
    }

    /** Only this version of the bytes: another one is an EtagMismatchException. */
    public OpenOptions etag(String value) {
        OpenOptions other = copy();
        other.etag = value;
        return other;
    }

    /** A recording that isn't READY is waited for first: for as long as the service can be reached. */
    public OpenOptions waitUntilReady() {
        OpenOptions other = copy();
        other.waits = true;
        other.waitTimeout = null;
        return other;
    }

    /** A recording that isn't READY is waited for first, at most for so long. */
    public OpenOptions waitUntilReady(Duration timeout) {
        OpenOptions other = waitUntilReady();
        other.waitTimeout = timeout;
        return other;
    }

    boolean waits() {
        return waits;
    }

    /** Null for no bound. */
    Duration waitTimeout() {
        return waitTimeout;
    }

    ByteRange range() {
        Long end = null;
        if (length != null) {
            end = length > Long.MAX_VALUE - offset ? Long.MAX_VALUE : offset + length;
        }
        return new ByteRange(accountSid, recordingSid, offset, end, etag);
    }

    private OpenOptions copy() {
        OpenOptions other = new OpenOptions(recordingSid);
        other.accountSid = accountSid;
        other.offset = offset;
        other.length = length;
        other.etag = etag;
        other.waits = waits;
        other.waitTimeout = waitTimeout;
        return other;
    }

    private static long notNegative(String name, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + ": must not be below 0");
        }
        return value;
    }
}

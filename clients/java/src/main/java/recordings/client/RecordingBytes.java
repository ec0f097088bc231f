package recordings.client;

import com.google.protobuf.ByteString;
import recordings.client.errors.OffsetPastEndException;
import recordings.client.errors.RecordingsException;
import recordings.v1.WatchRecordingRequest;

/**
 * The bytes of a recording, from any place of it: the rules f and h of clients/README.md. Places are the recording's
 * own.
 *
 * <p>For one thread at a time, but for {@link #cancel}.
 */
final class RecordingBytes {
    private final Connection connection;
    private final OpenOptions options;
    private final ByteRange wanted;
    private boolean waits;
    private Opening opening;
    /** What has come from {@link #heldAt} on. */
    private ByteString held = ByteString.EMPTY;
    private long heldAt;
    /** One past the last byte that was handed out. */
    private long handedOut;
    /** As the service has said when a place past the end was asked for; -1 if it hasn't. */
    private long sizeBytes = -1;
    private volatile boolean cancelled;
    private volatile RangeStream stream;
    private volatile RecordingWatch watch;

    RecordingBytes(Connection connection, OpenOptions options) {
        this.connection = connection;
        this.options = options;
        this.wanted = options.range();
        this.waits = options.waits();
    }

    /** What the first message has said; null before it. */
    Opening opening() {
        return opening;
    }

    /** The first byte of the part. */
    long start() {
        return wanted.offset();
    }

    /** One past the last byte that can be read; null as long as only the service knows. */
    Long end() {
        if (opening != null) {
            return opening.end();
        }
        if (sizeBytes >= 0) {
            return wanted.end() == null ? Long.valueOf(sizeBytes) : Long.valueOf(Math.min(sizeBytes, wanted.end()));
        }
        // A part that is clipped ends sooner than was asked for. One without bytes is never opened.
        return wanted.end() != null && wanted.end() == wanted.offset() ? wanted.end() : null;
    }

    /** How many bytes are here already, from that place on. */
    int available(long place) {
        long left = heldAt + held.size() - place;
        return place >= heldAt && left > 0 ? (int) left : 0;
    }

    /** What is here already; not empty if {@link #available} isn't 0. */
    ByteString held(long place) {
        return held.substring((int) (place - heldAt));
    }

    /** The bytes up to that place were handed out. */
    void handOutTo(long place) {
        handedOut = place;
    }

    /**
     * What there is from that place on, at most a message. Empty at the end.
     *
     * @throws RecordingsException it can't be had, or not now; it may be asked for again
     */
    ByteString bring(long place) throws InterruptedException {
        Long last = end();
        if (last == null && wanted.end() != null && place >= wanted.end() || last != null && place >= last) {
            letItEnd();
            return ByteString.EMPTY;
        }
        try {
            RangeStream open = reaches(place) ? stream : openAt(place);
            while (available(place) == 0) {
                heldAt += held.size();
                held = ByteString.EMPTY;
                held = open.read();
                opening = opening == null ? open.opening() : opening;
                if (held.isEmpty() && open.isComplete()) {
                    return ByteString.EMPTY;
                }
            }
        } catch (OffsetPastEndException e) {
            drop();
            if (place == wanted.offset() || e.sizeBytes() < 0) {
                throw e;
            }
            // Who has moved past the end reads nothing there, as in any file.
            sizeBytes = e.sizeBytes();
            return ByteString.EMPTY;
        } catch (RecordingsException e) {
            drop();
            throw e;
        }
        return held(place);
    }

    /** Gives up what has come and isn't used, and the stream; the next {@link #bring} opens another. */
    void drop() {
        RangeStream dropped = stream;
        if (dropped != null) {
            dropped.cancel();
            stream = null;
        }
        held = ByteString.EMPTY;
    }

    /** Ends everything at once, for good, and wakes who waits. For any thread; idempotent. */
    void cancel() {
        cancelled = true;
        RangeStream open = stream;
        if (open != null) {
            open.cancel();
        }
        RecordingWatch waiting = watch;
        if (waiting != null) {
            waiting.close();
        }
    }

    private boolean reaches(long place) {
        long furthest = Math.max(heldAt + held.size(), handedOut + Defaults.VALUES.seekAheadBytes());
        return stream != null && heldAt <= place && place <= furthest;
    }

    private RangeStream openAt(long place) throws InterruptedException {
        drop();
        if (waits) {
            awaitReadiness();
            waits = false;
        }
        ByteRange range = opening == null ? wanted.from(place) : wanted.restOf(opening, place);
        RangeStream open = new RangeStream(connection, range);
        stream = open;
        heldAt = place;
        handedOut = place;
        if (cancelled) {
            // `cancel` may have looked before there was a stream.
            open.cancel();
        }
        return open;
    }

    private void awaitReadiness() throws InterruptedException {
        WatchRecordingRequest request = WatchRecordingRequest.newBuilder()
                .setAccountSid(wanted.accountSid())
                .setRecordingSid(wanted.recordingSid())
                .build();
        try (RecordingWatch waiting = new RecordingWatch(connection, request, options.waitTimeout())) {
            watch = waiting;
            if (!cancelled) {
                // Else `cancel` may have looked before there was a watch; the first read of the stream says so.
                Readiness.await(waiting);
            }
        } finally {
            watch = null;
        }
    }

    private void letItEnd() throws InterruptedException {
        RangeStream open = stream;
        if (open != null && open.isComplete()) {
            open.letItEnd();
        }
    }
}

package recordings.client;

import com.google.protobuf.ByteString;
import java.util.Map;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.EtagMismatchException;
import recordings.client.errors.Failure;
import recordings.v1.StreamRecordingRequest;
import recordings.v1.StreamRecordingResponse;

/**
 * One range, of which each byte is to come once, across streams that break: the rules a to d of clients/README.md, free
 * of input and output. The next stream is opened at the next byte, of the same version.
 */
final class RangeReading {
    private final ByteRange wanted;
    private Opening opening;
    private long position;

    RangeReading(ByteRange wanted) {
        this.wanted = wanted;
        this.position = wanted.offset();
    }

    /** What the first message of all has said; null before it. */
    Opening opening() {
        return opening;
    }

    /** Whether nothing is left to come: then no stream must be opened, since a length of 0 stands for the end. */
    boolean isComplete() {
        Long end = opening == null ? wanted.end() : Long.valueOf(opening.end());
        return end != null && position >= end;
    }

    /** What to open the next stream with. Not to be asked once the range is complete. */
    StreamRecordingRequest request() {
        Long end = opening == null ? wanted.end() : Long.valueOf(opening.end());
        return StreamRecordingRequest.newBuilder()
                .setAccountSid(wanted.accountSid())
                .setRecordingSid(wanted.recordingSid())
                .setOffset(position)
                .setLength(end == null ? 0 : end - position)
                .setEtag(pinned())
                .build();
    }

    /**
     * Takes the first message of a stream; its data, perhaps none.
     *
     * @throws EtagMismatchException it is of another version than the one pinned
     * @throws ContractBrokenException it isn't what was asked for
     */
    ByteString first(StreamRecordingResponse message) {
        if (!message.hasRecording() || !message.hasContentRange()) {
            throw broken("a stream whose first message does not say what it brings");
        }
        Opening found = new Opening(
                message.getRecording(),
                message.getContentRange().getStart(),
                message.getContentRange().getEnd(),
                message.getContentRange().getCompleteLength());
        check(found);
        if (opening == null) {
            // The first one's range: a later stream brings what is left of it.
            opening = found;
        }
        return received(message);
    }

    /**
     * Takes any further message; its data, at least a byte.
     *
     * @throws ContractBrokenException it isn't what comes next
     */
    ByteString later(StreamRecordingResponse message) {
        if (message.getData().isEmpty()) {
            throw broken("an empty message that is not the first");
        }
        return received(message);
    }

    /** A stream has ended with OK before its first message. */
    static ContractBrokenException withoutFirst() {
        return broken("a stream without a first message");
    }

    private String pinned() {
        return opening == null ? wanted.etag() : opening.recording().getEtag();
    }

    private void check(Opening found) {
        String etag = found.recording().getEtag();
        if (!pinned().isEmpty() && !etag.equals(pinned())) {
            throw new EtagMismatchException(
                    Failure.of("the recording has become another version").withMetadata(Map.of("etag", etag)), null);
        }
        if (etag.isEmpty()) {
            throw broken("a stream that does not say of which version it is");
        }
        if (found.completeLength() != found.recording().getSizeBytes()) {
            throw broken("a stream whose size is not the recording's");
        }
        long end = wanted.end() == null ? found.completeLength() : Math.min(wanted.end(), found.completeLength());
        if (opening != null) {
            end = opening.end();
        }
        if (found.start() != position || found.end() != end) {
            throw broken("a stream of another range than the one asked for");
        }
    }

    private ByteString received(StreamRecordingResponse message) {
        ByteString data = message.getData();
        if (data.isEmpty()) {
            return data;
        }
        if (message.getOffset() != position || data.size() > opening.end() - position) {
            throw broken("a chunk that is not the next one");
        }
        position += data.size();
        return data;
    }

    private static ContractBrokenException broken(String how) {
        return new ContractBrokenException(Failure.of(how), null);
    }
}

package recordings.client;

/**
 * Which bytes of which recording.
 *
 * @param offset the first, counted from 0
 * @param end one past the last; null for the recording's end
 * @param etag the only version that will do; empty for whichever is current
 */
record ByteRange(String accountSid, String recordingSid, long offset, Long end, String etag) {
    /** The same to the same end, from another place. */
    ByteRange from(long place) {
        return new ByteRange(accountSid, recordingSid, place, end, etag);
    }

    /** What is left from that place of the version that was opened. */
    ByteRange restOf(Opening opening, long place) {
        return new ByteRange(accountSid, recordingSid, place, opening.end(), opening.recording().getEtag());
    }
}

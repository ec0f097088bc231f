package recordings.client;

import com.google.protobuf.ByteOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import recordings.client.errors.ChecksumMismatchException;
import recordings.client.errors.Failure;

/**
 * Compares what is read with the recording's SHA-256, if all of it is read in order (g of clients/README.md). Begins
 * anew whenever reading does at the first byte; a read with a gap in it can't be compared.
 */
final class WholeReadChecksum {
    private MessageDigest digest = sha256();
    /** What comes next in a read without a gap. */
    private long next;

    /**
     * Takes bytes that are about to be handed out.
     *
     * @throws ChecksumMismatchException with them the whole recording would have been, and it is another one; they
     *     count as not taken
     */
    void take(long place, ByteString data, Opening opening) {
        if (place == 0) {
            digest = sha256();
            next = 0;
        }
        if (place != next || data.isEmpty()) {
            return;
        }
        boolean isWhole = place + data.size() == opening.completeLength();
        MessageDigest withThese = isWhole ? copy(digest) : digest;
        update(withThese, data);
        if (isWhole) {
            compare(withThese, opening);
        }
        digest = withThese;
        next = place + data.size();
    }

    private static void compare(MessageDigest whole, Opening opening) {
        String expected = opening.recording().getSha256();
        // The digest is over with this, which is why it is a copy.
        if (!expected.isEmpty() && !HexFormat.of().formatHex(whole.digest()).equals(expected)) {
            throw new ChecksumMismatchException(
                    Failure.of("what was read is not what the recording's SHA-256 says")
                            .withMetadata(Map.of("recordingSid", opening.recording().getRecordingSid())),
                    null);
        }
    }

    private static void update(MessageDigest digest, ByteString data) {
        try {
            // Without the copy that everything safe would make: nothing here writes to the bytes or keeps them.
            UnsafeByteOperations.unsafeWriteTo(data, new Into(digest));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static MessageDigest copy(MessageDigest digest) {
        try {
            return (MessageDigest) digest.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("the provider's SHA-256 can't be copied", e);
        }
    }

    /** A digest as protobuf's idea of an output. */
    private static final class Into extends ByteOutput {
        private final MessageDigest digest;

        Into(MessageDigest digest) {
            this.digest = digest;
        }

        @Override
        public void write(byte value) {
            digest.update(value);
        }

        @Override
        public void write(byte[] value, int offset, int length) {
            digest.update(value, offset, length);
        }

        @Override
        public void writeLazy(byte[] value, int offset, int length) {
            digest.update(value, offset, length);
        }

        @Override
        public void write(ByteBuffer value) {
            digest.update(value);
        }

        @Override
        public void writeLazy(ByteBuffer value) {
            digest.update(value);
        }
    }
}

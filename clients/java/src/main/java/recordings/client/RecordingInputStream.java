package recordings.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** A {@link RecordingChannel} as an {@link InputStream}: skipping reads nothing, and any place can be marked. */
final class RecordingInputStream extends InputStream {
    /** As much as a message of the service usually brings. */
    private static final int TRANSFER_BYTES = 65_536;

    private final RecordingChannel channel;
    private final byte[] single = new byte[1];
    private long marked = -1;

    RecordingInputStream(RecordingChannel channel) {
        this.channel = channel;
    }

    @Override
    public int read() throws IOException {
        return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, target.length);
        return channel.read(ByteBuffer.wrap(target, offset, length));
    }

    @Override
    public long transferTo(OutputStream target) throws IOException {
        byte[] buffer = new byte[TRANSFER_BYTES];
        long transferred = 0;
        for (int count = read(buffer); count >= 0; count = read(buffer)) {
            target.write(buffer, 0, count);
            transferred += count;
        }
        return transferred;
    }

    /** Not past the end, which the service is asked for if nothing was read yet. */
    @Override
    public long skip(long count) throws IOException {
        if (count <= 0) {
            return 0;
        }
        long skipped = Math.max(0, Math.min(count, channel.size() - channel.position()));
        channel.position(channel.position() + skipped);
        return skipped;
    }

    /** What has come and was not read. */
    @Override
    public int available() throws IOException {
        return channel.available();
    }

    @Override
    public boolean markSupported() {
        return true;
    }

    /** Without a limit: the place is only remembered. */
    @Override
    public void mark(int readLimit) {
        try {
            marked = channel.position();
        } catch (IOException e) {
            // Closed: `reset` will say so.
            marked = -1;
        }
    }

    @Override
    public void reset() throws IOException {
        long place = channel.position();
        if (marked < 0) {
            throw new IOException("no place was marked before " + place);
        }
        channel.position(marked);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

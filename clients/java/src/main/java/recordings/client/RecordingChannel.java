package recordings.client;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.concurrent.locks.ReentrantLock;
import recordings.client.errors.ChecksumMismatchException;
import recordings.client.errors.RecordingReadException;
import recordings.client.errors.RecordingsException;
import recordings.v1.Recording;

/**
 * Reads a recording, or a part of it, from anywhere in it. Places are the recording's own, in bytes from 0. It goes on
 * at the exact byte after a break, never mixes two versions, and compares a whole read with the recording's SHA-256.
 *
 * <p>What goes wrong is a {@link RecordingReadException}, whose cause is the {@link RecordingsException}. After one the
 * channel stays where it was, and reading may be tried again. Close it: it has a stream open. Closing it, from whatever
 * thread, or interrupting a thread that waits in it, ends the read at once, as with every {@link
 * java.nio.channels.InterruptibleChannel}.
 *
 * <p>It may be used by many threads, one after the other; several that read at the same time want a channel each.
 */
public final class RecordingChannel extends AbstractInterruptibleChannel implements SeekableByteChannel {
    private final Connection connection;
    private final RecordingBytes bytes;
    private final WholeReadChecksum checksum = new WholeReadChecksum();
    private final ReentrantLock lock = new ReentrantLock();
    private long position;

    RecordingChannel(Connection connection, OpenOptions options) {
        this.connection = connection;
        this.bytes = new RecordingBytes(connection, options);
        this.position = bytes.start();
        connection.add(this);
    }

    /**
     * Reads at least a byte, and at most what one message brings; waits for it.
     *
     * @return how many bytes; -1 at or past the end
     * @throws RecordingReadException they can't be had, or not now; {@link ChecksumMismatchException} as its cause
     *     stands in place of the last bytes of a whole read
     * @throws ClosedChannelException the channel, or its client, is closed
     */
    @Override
    public int read(ByteBuffer target) throws IOException {
        lock.lock();
        try {
            checkOpen();
            if (!target.hasRemaining()) {
                return 0;
            }
            ByteString found = bytes.available(position) > 0 ? bytes.held(position) : bring(position);
            if (found.isEmpty()) {
                return -1;
            }
            ByteString part = found.substring(0, Math.min(found.size(), target.remaining()));
            handOut(part);
            part.copyTo(target);
            return part.size();
        } finally {
            lock.unlock();
        }
    }

    /** The place of the next byte. */
    @Override
    public long position() throws IOException {
        lock.lock();
        try {
            checkOpen();
            return position;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Goes to a place, which may lie past the end. Asks nothing of the service.
     *
     * @throws IllegalArgumentException the place is negative
     */
    @Override
    public RecordingChannel position(long place) throws IOException {
        if (place < 0) {
            throw new IllegalArgumentException("position: must not be below 0");
        }
        lock.lock();
        try {
            checkOpen();
            position = place;
            return this;
        } finally {
            lock.unlock();
        }
    }

    /**
     * One past the last byte that can be read: the recording's size, or the end of the part. Asks the service if
     * nothing was read yet.
     */
    @Override
    public long size() throws IOException {
        lock.lock();
        try {
            checkOpen();
            if (bytes.end() == null) {
                bring(position);
            }
            if (bytes.end() == null) {
                // It was moved past the end of a part that nobody has opened.
                bring(bytes.start());
            }
            return bytes.end();
        } finally {
            lock.unlock();
        }
    }

    /**
     * The recording, of the version that is read. Asks the service if nothing was read yet.
     *
     * @throws IllegalStateException this is a part without bytes, for which nothing is asked
     */
    public Recording recording() throws IOException {
        lock.lock();
        try {
            checkOpen();
            if (bytes.opening() == null) {
                bring(position);
            }
            if (bytes.opening() == null) {
                bring(bytes.start());
            }
            if (bytes.opening() == null) {
                throw new IllegalStateException("a part without bytes is never opened");
            }
            return bytes.opening().recording();
        } finally {
            lock.unlock();
        }
    }

    /**
     * This channel as a stream from where it is: they share the place, and closing one closes both. It can be marked at
     * any place.
     */
    public InputStream inputStream() {
        return new RecordingInputStream(this);
    }

    /** How many bytes can be read without waiting. */
    int available() throws IOException {
        lock.lock();
        try {
            checkOpen();
            return bytes.available(position);
        } finally {
            lock.unlock();
        }
    }

    /** A recording is only read: throws NonWritableChannelException. */
    @Override
    public int write(ByteBuffer source) {
        throw new NonWritableChannelException();
    }

    /** A recording is only read: throws NonWritableChannelException. */
    @Override
    public SeekableByteChannel truncate(long size) {
        throw new NonWritableChannelException();
    }

    @Override
    protected void implCloseChannel() {
        // Whoever reads holds the lock: nothing here takes it.
        connection.remove(this);
        bytes.cancel();
    }

    private ByteString bring(long place) throws IOException {
        boolean completed = false;
        boolean interrupted = false;
        ByteString found = ByteString.EMPTY;
        try {
            begin();
            found = bytes.bring(place);
            completed = true;
        } catch (InterruptedException e) {
            // `end` says so, if this channel was closed by it.
            interrupted = true;
            Thread.currentThread().interrupt();
        } catch (RecordingsException e) {
            // So is whatever went wrong because the channel was closed.
            if (isOpen()) {
                throw new RecordingReadException(e);
            }
        } finally {
            end(completed);
        }
        if (interrupted) {
            close();
            throw new ClosedByInterruptException();
        }
        return found;
    }

    private void handOut(ByteString part) throws RecordingReadException {
        try {
            if (bytes.opening() != null) {
                checksum.take(position, part, bytes.opening());
            }
        } catch (ChecksumMismatchException e) {
            bytes.drop();
            throw new RecordingReadException(e);
        }
        position += part.size();
        bytes.handOutTo(position);
    }

    private void checkOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }
}

package recordings.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import recordings.client.errors.ChecksumMismatchException;
import recordings.client.errors.EtagMismatchException;
import recordings.client.errors.OffsetPastEndException;
import recordings.client.errors.RecordingReadException;
import recordings.v1.Recording;
import recordings.v1.RecordingState;
import recordings.v1.WatchRecordingResponse;

/** Rules f to h of clients/README.md, and what a SeekableByteChannel and an InputStream are expected to do. */
class ChannelTest extends ClientTest {
    private static final int AHEAD = 262_144;

    private final Shelf shelf = new Shelf(1_000_003);

    @Test
    void positioningOpensNothing() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            channel.position(500).position(7);
            assertEquals(7, channel.position());
        }
        assertEquals(0, service.openings.size());
    }

    @Test
    void aPlaceAtMost256KiBAheadIsReachedByTheSameStream() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            read(channel, 1_000);
            channel.position(1_000 + AHEAD);
            assertArrayEquals(Arrays.copyOfRange(shelf.bytes, 1_000 + AHEAD, 2_000 + AHEAD), read(channel, 1_000));
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void aPlaceFurtherAheadOrBehindIsReachedByAnotherStreamOfTheSameVersion() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            read(channel, 1_000);
            channel.position(1_001 + AHEAD);
            assertArrayEquals(Arrays.copyOfRange(shelf.bytes, 1_001 + AHEAD, 2_001 + AHEAD), read(channel, 1_000));
            channel.position(3);
            assertArrayEquals(Arrays.copyOfRange(shelf.bytes, 3, 10), read(channel, 7));
        }
        assertEquals(3, service.openings.size());
        assertEquals(1_001 + AHEAD, service.openings.get(1).getOffset());
        assertEquals("etag-1", service.openings.get(1).getEtag());
        assertEquals(3, service.openings.get(2).getOffset());
    }

    @Test
    void atAndPastTheEndThereIsNothingAndNothingIsOpened() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertEquals(shelf.bytes.length, channel.size());
            channel.position(shelf.bytes.length);
            assertEquals(0, read(channel, 10).length);
            channel.position(Long.MAX_VALUE);
            assertEquals(-1, channel.read(ByteBuffer.allocate(1)));
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void whoHasMovedPastAnEndThatIsNotKnownReadsNothing() throws Exception {
        service.stream = (opening, request, to) -> {
            throw Refusals.of(Status.Code.OUT_OF_RANGE, "OFFSET_PAST_END", Map.of("sizeBytes", "1000003"));
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            channel.position(2_000_000);
            assertEquals(0, read(channel, 10).length);
            assertEquals(1_000_003, channel.size());
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void theEndOfAPartIsKnownFromWhereverItWasMovedTo() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel =
                client.open(OpenOptions.of(Shelf.SID).offset(1_000_000).length(50))) {
            channel.position(5_000_000);
            assertEquals(-1, channel.read(ByteBuffer.allocate(1)));
            assertEquals(0, service.openings.size());
            assertEquals(1_000_003, channel.size());
            assertEquals(shelf.recording, channel.recording());
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void aPartThatBeginsPastTheEndIsAnError() throws Exception {
        service.stream = (opening, request, to) -> {
            throw Refusals.of(Status.Code.OUT_OF_RANGE, "OFFSET_PAST_END", Map.of("sizeBytes", "1000003"));
        };
        try (RecordingChannel channel = client.open(OpenOptions.of(Shelf.SID).offset(2_000_000))) {
            assertEquals(1_000_003, failure(OffsetPastEndException.class, channel).sizeBytes());
        }
    }

    @Test
    void negativePlacesAreTheLanguagesOwnError() throws Exception {
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertThrows(IllegalArgumentException.class, () -> channel.position(-1));
        }
        assertThrows(IllegalArgumentException.class, () -> OpenOptions.of(Shelf.SID).offset(-1));
        assertThrows(IllegalArgumentException.class, () -> OpenOptions.of(Shelf.SID).length(-1));
    }

    @Test
    void aPartIsReadByItsOwnPlaces() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel =
                client.open(OpenOptions.of(Shelf.SID).offset(100).length(50))) {
            assertEquals(100, channel.position());
            assertEquals(150, channel.size());
            assertArrayEquals(Arrays.copyOfRange(shelf.bytes, 100, 150), readAll(channel));
            assertEquals(150, channel.position());
        }
        assertEquals(50, service.openings.get(0).getLength());
    }

    @Test
    void aPartWithoutBytesOpensNothing() throws Exception {
        try (RecordingChannel channel = client.open(OpenOptions.of(Shelf.SID).length(0))) {
            assertEquals(0, readAll(channel).length);
            assertEquals(0, channel.size());
        }
        assertEquals(0, service.openings.size());
    }

    @Test
    void anEtagIsPinnedFromTheStart() throws Exception {
        service.stream = (opening, request, to) -> {
            throw Refusals.of(Status.Code.ABORTED, "ETAG_MISMATCH", Map.of("etag", "etag-1"));
        };
        try (RecordingChannel channel = client.open(OpenOptions.of(Shelf.SID).etag("etag-0"))) {
            assertEquals("etag-1", failure(EtagMismatchException.class, channel).etag());
        }
        assertEquals("etag-0", service.openings.get(0).getEtag());
    }

    @Test
    void theLastBytesOfAWholeReadThatIsAnotherOneAreNotHandedOut() throws Exception {
        serveWithAFlippedBit(500_000);
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            byte[] before = read(channel, shelf.bytes.length - 1);
            assertEquals(shelf.bytes.length - 1, before.length);
            ByteBuffer last = ByteBuffer.allocate(10);
            RecordingReadException error = assertThrows(RecordingReadException.class, () -> channel.read(last));
            assertTrue(error.getCause() instanceof ChecksumMismatchException);
            assertEquals(0, last.position());
            assertEquals(shelf.bytes.length - 1, channel.position());
        }
    }

    @Test
    void aReadWithAGapCanNotBeCompared() throws Exception {
        serveWithAFlippedBit(500_000);
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            read(channel, 10);
            channel.position(11);
            assertEquals(shelf.bytes.length - 11, readAll(channel).length);
        }
    }

    @Test
    void anEmptyRecordingHasNothing() throws Exception {
        Shelf empty = new Shelf(0);
        service.stream = empty::serve;
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertEquals(0, readAll(channel).length);
            assertEquals(0, channel.size());
        }
    }

    @Test
    void withWaitARecordingThatIsNotReadyIsWaitedForByAWatch() throws Exception {
        service.stream = shelf::serve;
        service.watch = (opening, request, to) -> {
            Recording queued = shelf.recording.toBuilder()
                    .setState(RecordingState.RECORDING_STATE_QUEUED)
                    .setRevision(1)
                    .build();
            to.onNext(WatchRecordingResponse.newBuilder().setRecording(queued).build());
            to.onNext(WatchRecordingResponse.newBuilder().setRecording(shelf.recording).build());
            to.onCompleted();
        };
        try (RecordingChannel channel = client.open(OpenOptions.of(Shelf.SID).waitUntilReady())) {
            assertArrayEquals(shelf.bytes, readAll(channel));
        }
        assertEquals(1, service.watches.get());
        assertEquals(1, service.openings.size());
    }

    @Test
    void anErrorLeavesThePlaceAndReadingMayBeTriedAgain() throws Exception {
        service.stream = (opening, request, to) -> {
            if (opening == 0) {
                shelf.send(request, to, 1_000);
                throw Status.DATA_LOSS.asRuntimeException();
            }
            shelf.serve(opening, request, to);
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertThrows(RecordingReadException.class, () -> read(channel, 2_000));
            assertEquals(1_000, channel.position());
            assertArrayEquals(Arrays.copyOfRange(shelf.bytes, 1_000, shelf.bytes.length), readAll(channel));
        }
    }

    @Test
    void itIsOnlyRead() throws Exception {
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertThrows(NonWritableChannelException.class, () -> channel.write(ByteBuffer.allocate(1)));
            assertThrows(NonWritableChannelException.class, () -> channel.truncate(0));
        }
    }

    @Test
    void directBuffersAreFilledAsWell() throws Exception {
        service.stream = shelf::serve;
        ByteBuffer direct = ByteBuffer.allocateDirect(shelf.bytes.length);
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            while (direct.hasRemaining() && channel.read(direct) >= 0) {
                // Until it is full.
            }
        }
        assertEquals(ByteBuffer.wrap(shelf.bytes), direct.flip());
    }

    @Test
    void theStreamSkipsMarksAndSaysWhatIsHere() throws Exception {
        service.stream = shelf::serve;
        try (InputStream stream = client.open(Shelf.SID).inputStream()) {
            assertEquals(0, stream.available());
            assertThrows(IOException.class, stream::reset);
            assertEquals(shelf.bytes[0] & 0xff, stream.read());
            assertEquals(Shelf.CHUNK - 1, stream.available());
            stream.mark(0);
            assertEquals(600_000, stream.skip(600_000));
            assertEquals(shelf.bytes[600_001] & 0xff, stream.read());
            assertEquals(shelf.bytes.length - 600_002, stream.skip(Long.MAX_VALUE));
            assertEquals(-1, stream.read());
            stream.reset();
            ByteArrayOutputStream rest = new ByteArrayOutputStream();
            assertEquals(shelf.bytes.length - 1, stream.transferTo(rest));
            assertArrayEquals(Arrays.copyOfRange(shelf.bytes, 1, shelf.bytes.length), rest.toByteArray());
        }
    }

    private void serveWithAFlippedBit(int at) {
        Shelf other = new Shelf(shelf.bytes.length);
        other.bytes[at] ^= 4;
        service.stream = other::serve;
    }
}

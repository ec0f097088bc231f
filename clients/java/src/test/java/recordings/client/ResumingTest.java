package recordings.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import recordings.client.errors.CapacityExhaustedException;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.EtagMismatchException;
import recordings.client.errors.InternalErrorException;
import recordings.client.errors.RecordingsException;
import recordings.client.errors.UnavailableException;
import recordings.v1.StreamRecordingRequest;
import recordings.v1.StreamRecordingResponse;

/** Rules a to e of clients/README.md. */
class ResumingTest extends ClientTest {
    private final Shelf shelf = new Shelf(300_001);

    @Test
    void aWholeReadBringsEveryByteByOneStream() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertArrayEquals(shelf.bytes, readAll(channel));
            assertEquals(shelf.bytes.length, channel.size());
            assertEquals(shelf.recording, channel.recording());
        }
        assertEquals(1, service.openings.size());
    }

    @ParameterizedTest
    @EnumSource(value = Status.Code.class, names = {"UNAVAILABLE", "INTERNAL", "CANCELLED", "OK"})
    void itResumesAtTheNextByteOfTheSameVersionAfterABreak(Status.Code code) throws Exception {
        breakOnce(100_003, code);
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertArrayEquals(shelf.bytes, readAll(channel));
        }
        assertEquals(2, service.openings.size());
        StreamRecordingRequest second = service.openings.get(1);
        assertEquals(100_003, second.getOffset());
        assertEquals(shelf.bytes.length - 100_003, second.getLength());
        assertEquals("etag-1", second.getEtag());
    }

    @ParameterizedTest
    @EnumSource(
            value = Status.Code.class,
            names = {"UNKNOWN", "DATA_LOSS", "NOT_FOUND", "DEADLINE_EXCEEDED", "ABORTED"})
    void itResumesAfterNothingElse(Status.Code code) throws Exception {
        breakOnce(100_003, code);
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertEquals(code, failure(RecordingsException.class, channel).code().orElseThrow());
            assertEquals(100_003, channel.position());
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void internalBeforeTheFirstMessageIsFinal() throws Exception {
        service.stream = (opening, request, to) -> to.onError(Status.INTERNAL.asRuntimeException());
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            failure(InternalErrorException.class, channel);
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void resourceExhaustedIsResumedAfterTheTimeThatTheServiceAsksFor() throws Exception {
        service.stream = (opening, request, to) -> {
            if (opening == 0) {
                throw Refusals.of(
                        Status.Code.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", Map.of(), Refusals.retryAfterMillis(150));
            }
            shelf.serve(opening, request, to);
        };
        long begin = System.nanoTime();
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertArrayEquals(shelf.bytes, readAll(channel));
        }
        assertTrue(System.nanoTime() - begin >= 150_000_000);
        assertEquals(2, service.openings.size());
    }

    @Test
    void resourceExhaustedWithoutATimeIsFinal() throws Exception {
        service.stream = (opening, request, to) -> {
            throw Refusals.of(Status.Code.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", Map.of());
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            failure(CapacityExhaustedException.class, channel);
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void twoVersionsAreNeverSpliced() throws Exception {
        service.stream = (opening, request, to) -> {
            if (opening == 0) {
                shelf.send(request, to, 70_000);
                throw Status.UNAVAILABLE.asRuntimeException();
            }
            StreamRecordingResponse.Builder first = shelf.first(request);
            first.getRecordingBuilder().setEtag("etag-2");
            to.onNext(first.build());
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertEquals("etag-2", failure(EtagMismatchException.class, channel).etag());
            assertEquals(70_000, channel.position());
        }
    }

    @Test
    void aFirstMessageThatSaysNothingBreaksTheContract() throws Exception {
        service.stream = (opening, request, to) -> to.onNext(shelf.chunk(0, 10).build());
        contractIsBroken();
    }

    @Test
    void aFirstMessageOfAnotherRangeBreaksTheContract() throws Exception {
        service.stream = (opening, request, to) -> {
            StreamRecordingResponse.Builder first = shelf.first(request);
            first.getContentRangeBuilder().setStart(1);
            to.onNext(first.build());
        };
        contractIsBroken();
    }

    @Test
    void anEndWithoutAFirstMessageBreaksTheContract() throws Exception {
        service.stream = (opening, request, to) -> to.onCompleted();
        contractIsBroken();
    }

    @Test
    void aChunkOfAnotherPlaceBreaksTheContract() throws Exception {
        service.stream = (opening, request, to) -> {
            shelf.send(request, to, 1_000);
            to.onNext(shelf.chunk(1_001, 2_000).build());
        };
        contractIsBroken();
    }

    @Test
    void aChunkPastThePromisedEndBreaksTheContract() throws Exception {
        Shelf shorter = new Shelf(10);
        service.stream = (opening, request, to) -> to.onNext(
                shorter.first(request).setData(shelf.data(0, 11)).build());
        contractIsBroken();
    }

    @Test
    void everyByteIsTheEndWhateverTheStatus() throws Exception {
        service.stream = (opening, request, to) -> {
            shelf.send(request, to, Long.MAX_VALUE);
            throw Status.UNAVAILABLE.asRuntimeException();
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertArrayEquals(shelf.bytes, readAll(channel));
        }
        assertEquals(1, service.openings.size());
    }

    @Test
    void attemptsAreUsedUpWithoutAMessage() throws Exception {
        service.stream = (opening, request, to) -> {
            throw Refusals.of(Status.Code.UNAVAILABLE, "SERVER_DRAINING", Map.of());
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertEquals("SERVER_DRAINING", failure(UnavailableException.class, channel).reason());
        }
        assertEquals(4, service.openings.size());
    }

    @Test
    void attemptsAreCountedFromTheLastMessage() throws Exception {
        Random random = new Random(1);
        service.stream = (opening, request, to) -> {
            shelf.send(request, to, request.getOffset() + 1 + random.nextInt(5_000));
            throw Status.UNAVAILABLE.asRuntimeException();
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertArrayEquals(shelf.bytes, readAll(channel));
        }
        assertTrue(service.openings.size() > 50);
    }

    @Test
    void aStreamThatBringsNothingIsOpenedAgain() throws Exception {
        use(builder().stallTimeout(Duration.ofMillis(200)));
        service.stream = (opening, request, to) -> {
            if (opening == 0) {
                shelf.send(request, to, 70_000);
                return;
            }
            shelf.serve(opening, request, to);
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertArrayEquals(shelf.bytes, readAll(channel));
        }
        assertEquals(2, service.openings.size());
    }

    @Test
    void aSlowReaderIsNoSlowService() throws Exception {
        use(builder().stallTimeout(Duration.ofMillis(200)));
        service.stream = (opening, request, to) -> shelf.serveAsTaken(request, to);
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            read(channel, 10);
            // Longer than a stall may last: this time is the reader's own.
            Thread.sleep(400);
            assertEquals(shelf.bytes.length - 10, readAll(channel).length);
        }
        assertEquals(1, service.openings.size());
    }

    private void breakOnce(long at, Status.Code code) {
        service.stream = (opening, request, to) -> {
            if (opening > 0) {
                shelf.serve(opening, request, to);
                return;
            }
            shelf.send(request, to, at);
            if (code == Status.Code.OK) {
                to.onCompleted();
            } else {
                to.onError(code.toStatus().asRuntimeException());
            }
        };
    }

    private void contractIsBroken() throws Exception {
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertTrue(failure(ContractBrokenException.class, channel).code().isEmpty());
        }
        assertEquals(1, service.openings.size());
    }
}

package recordings.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import recordings.client.errors.ClientClosedException;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.DeadlineExceededException;
import recordings.client.errors.RecordingFailedException;
import recordings.client.errors.RecordingNotFoundException;
import recordings.client.errors.RecordingsException;
import recordings.client.errors.UnavailableException;
import recordings.v1.FailureReason;
import recordings.v1.Recording;
import recordings.v1.RecordingState;
import recordings.v1.WatchRecordingRequest;
import recordings.v1.WatchRecordingResponse;

class WatchTest extends ClientTest {
    private static final WatchRecordingRequest REQUEST =
            WatchRecordingRequest.newBuilder().setRecordingSid(Shelf.SID).build();
    private static final Duration LONG = Duration.ofSeconds(30);

    @Test
    void itGivesEachRevisionOnceAndEndsWhenTheServiceSaysSo() {
        service.watch = (opening, request, to) -> {
            look(to, 1, RecordingState.RECORDING_STATE_QUEUED);
            look(to, 1, RecordingState.RECORDING_STATE_QUEUED);
            look(to, 2, RecordingState.RECORDING_STATE_READY);
            to.onCompleted();
        };
        assertEquals(List.of(1L, 2L), revisions(client.watch(Shelf.SID)));
    }

    @ParameterizedTest
    @EnumSource(value = Status.Code.class, names = {"UNAVAILABLE", "CANCELLED", "INTERNAL", "DEADLINE_EXCEEDED"})
    void itOpensTheStreamAgainAfterABreak(Status.Code code) {
        service.watch = (opening, request, to) -> {
            look(to, 1, RecordingState.RECORDING_STATE_QUEUED);
            if (opening == 0) {
                throw code.toStatus().asRuntimeException();
            }
            look(to, 2, RecordingState.RECORDING_STATE_READY);
            to.onCompleted();
        };
        assertEquals(List.of(1L, 2L), revisions(client.watch(Shelf.SID)));
        assertEquals(2, service.watches.get());
    }

    @Test
    void itWaitsAsLongAsTheServiceAsksFor() {
        service.watch = (opening, request, to) -> {
            if (opening == 0) {
                throw Refusals.of(
                        Status.Code.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", Map.of(), Refusals.retryAfterMillis(150));
            }
            look(to, 2, RecordingState.RECORDING_STATE_READY);
            to.onCompleted();
        };
        long begin = System.nanoTime();
        assertEquals(List.of(2L), revisions(client.watch(Shelf.SID)));
        assertTrue(System.nanoTime() - begin >= 150_000_000);
    }

    @Test
    void withoutATimeItGivesUpAfterSoManyAttempts() {
        service.watch = (opening, request, to) -> {
            throw Status.UNAVAILABLE.asRuntimeException();
        };
        try (RecordingWatch watch = client.watch(Shelf.SID)) {
            assertThrows(UnavailableException.class, watch::hasNext);
        }
        assertEquals(4, service.watches.get());
    }

    @Test
    void withATimeItGoesOnUntilThen() {
        service.watch = (opening, request, to) -> {
            if (opening < 20) {
                throw Status.UNAVAILABLE.asRuntimeException();
            }
            look(to, 2, RecordingState.RECORDING_STATE_READY);
            to.onCompleted();
        };
        assertEquals(List.of(2L), revisions(client.watch(REQUEST, LONG)));
    }

    @Test
    void theTimeIsOverWhetherTheServiceSaysNothingOrIsAway() {
        service.watch = (opening, request, to) -> look(to, 1, RecordingState.RECORDING_STATE_QUEUED);
        assertEquals(Status.Code.DEADLINE_EXCEEDED, deadline().code().orElseThrow());
        service.stop();
        deadline();
        service.startAgain();
    }

    @Test
    void itSurvivesARestartOfTheService() throws Exception {
        service.watch = (opening, request, to) -> look(to, 1, RecordingState.RECORDING_STATE_QUEUED);
        try (RecordingWatch watch = client.watch(REQUEST, LONG)) {
            assertEquals(1, watch.next().getRevision());
            service.watch = (opening, request, to) -> look(to, 2, RecordingState.RECORDING_STATE_QUEUED);
            service.stop();
            service.startAgain();
            assertEquals(2, watch.next().getRevision());
        }
    }

    @Test
    void whatIsRefusedIsNotAskedForAgain() {
        service.watch = (opening, request, to) -> {
            throw Refusals.of(Status.Code.NOT_FOUND, "RECORDING_NOT_FOUND", Map.of());
        };
        assertThrows(RecordingNotFoundException.class, () -> client.waitUntilReady(Shelf.SID, LONG));
        assertEquals(1, service.watches.get());
    }

    @Test
    void anEndBeforeTheFirstLookBreaksTheContract() {
        service.watch = (opening, request, to) -> to.onCompleted();
        try (RecordingWatch watch = client.watch(Shelf.SID)) {
            assertThrows(ContractBrokenException.class, watch::hasNext);
        }
    }

    @Test
    void closingInAnotherThreadEndsTheWait() throws Exception {
        service.watch = (opening, request, to) -> look(to, 1, RecordingState.RECORDING_STATE_QUEUED);
        RecordingWatch watch = client.watch(Shelf.SID);
        watch.next();
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> outcome.complete(assertThrows(RecordingsException.class, watch::hasNext)));
        thread.start();
        Eventually.holds("it waits", () -> thread.getState() == Thread.State.TIMED_WAITING);
        watch.close();
        assertInstanceOf(ClientClosedException.class, outcome.get(10, TimeUnit.SECONDS));
        watch.close();
        assertFalse(watch.hasNext());
        assertThrows(NoSuchElementException.class, watch::next);
    }

    @Test
    void anInterruptEndsTheWaitAndIsKept() throws Exception {
        service.watch = (opening, request, to) -> look(to, 1, RecordingState.RECORDING_STATE_QUEUED);
        CompletableFuture<Boolean> kept = new CompletableFuture<>();
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            outcome.complete(assertThrows(
                    RecordingsException.class, () -> client.waitUntilReady(Shelf.SID, Duration.ofMinutes(5))));
            kept.complete(Thread.currentThread().isInterrupted());
        });
        thread.start();
        Eventually.holds("it waits", () -> thread.getState() == Thread.State.TIMED_WAITING && service.open.get() == 1);
        thread.interrupt();
        RecordingsException error = (RecordingsException) outcome.get(10, TimeUnit.SECONDS);
        assertEquals(Status.Code.CANCELLED, error.code().orElseThrow());
        assertTrue(kept.get(10, TimeUnit.SECONDS));
    }

    @Test
    void waitingGivesTheReadyRecording() {
        service.watch = (opening, request, to) -> {
            look(to, 1, RecordingState.RECORDING_STATE_DOWNLOADING);
            look(to, 2, RecordingState.RECORDING_STATE_READY);
            to.onCompleted();
        };
        assertEquals(2, client.waitUntilReady(Shelf.SID, LONG).getRevision());
    }

    @Test
    void waitingForWhatFailsOrIsDeletedIsAnError() {
        service.watch = (opening, request, to) -> look(to, 1, RecordingState.RECORDING_STATE_FAILED);
        RecordingFailedException failed =
                assertThrows(RecordingFailedException.class, () -> client.waitUntilReady(Shelf.SID, LONG));
        assertEquals("SOURCE_ABSENT", failed.failureReason());
        assertEquals("RECORDING_FAILED", failed.reason());
        service.watch = (opening, request, to) -> look(to, 1, RecordingState.RECORDING_STATE_DELETED);
        assertThrows(RecordingNotFoundException.class, () -> client.waitUntilReady(Shelf.SID, LONG));
    }

    private DeadlineExceededException deadline() {
        return assertThrows(
                DeadlineExceededException.class, () -> client.waitUntilReady(Shelf.SID, Duration.ofMillis(300)));
    }

    private static List<Long> revisions(RecordingWatch watch) {
        List<Long> revisions = new ArrayList<>();
        try (watch) {
            watch.forEachRemaining(look -> revisions.add(look.getRevision()));
        }
        return revisions;
    }

    private static void look(ServerCallStreamObserver<WatchRecordingResponse> to, long revision, RecordingState state) {
        Recording.Builder recording = Recording.newBuilder()
                .setRecordingSid(Shelf.SID)
                .setRevision(revision)
                .setState(state);
        if (state == RecordingState.RECORDING_STATE_FAILED) {
            recording.setFailureReason(FailureReason.FAILURE_REASON_SOURCE_ABSENT);
        }
        to.onNext(WatchRecordingResponse.newBuilder().setRecording(recording).build());
    }
}

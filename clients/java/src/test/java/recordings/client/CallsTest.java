package recordings.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.DeadlineExceededException;
import recordings.client.errors.EnqueueFailedException;
import recordings.client.errors.FieldViolation;
import recordings.client.errors.InvalidRequestException;
import recordings.client.errors.RecordingNotReadyException;
import recordings.client.errors.RecordingsException;
import recordings.client.errors.StepNotDoneException;
import recordings.client.errors.StepWithoutResultException;
import recordings.client.errors.UnavailableException;
import recordings.v1.BatchEnqueueRecordingsResponse;
import recordings.v1.BatchEnqueueRecordingsResult;
import recordings.v1.DeleteRecordingRequest;
import recordings.v1.DeleteRecordingResponse;
import recordings.v1.EnqueueReason;
import recordings.v1.EnqueueRecordingRequest;
import recordings.v1.EnqueueRecordingResponse;
import recordings.v1.GetRecordingResponse;
import recordings.v1.ListRecordingsRequest;
import recordings.v1.ListRecordingsResponse;
import recordings.v1.Recording;

class CallsTest extends ClientTest {
    private static final Recording RECORDING =
            Recording.newBuilder().setRecordingSid(Shelf.SID).build();

    @ParameterizedTest
    @EnumSource(
            value = EnqueueReason.class,
            names = {"ENQUEUE_REASON_ENQUEUED", "ENQUEUE_REASON_CACHED", "ENQUEUE_REASON_DUPLICATE"})
    void anEnqueueIsEnqueuedCachedOrADuplicate(EnqueueReason reason) {
        service.enqueue = request -> answer(reason.getNumber());
        assertEquals(reason, client.enqueue(Shelf.SID).getReason());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 17})
    void anythingElseIsAFailureAlthoughTheCallWasOk(int reason) {
        service.enqueue = request -> answer(reason);
        EnqueueFailedException error =
                assertThrows(EnqueueFailedException.class, () -> client.enqueue(Shelf.SID));
        assertEquals(reason, error.enqueueReason());
    }

    @Test
    void anErrorInTheDetailsIsAFailedEnqueueWhateverTheReason() {
        EnqueueRecordingResponse inDetails = EnqueueRecordingResponse.newBuilder()
                .setReason(EnqueueReason.ENQUEUE_REASON_ERROR)
                .setRecording(RECORDING)
                .build();
        service.enqueue = request -> {
            throw Refusals.of(Status.Code.INTERNAL, "INTERNAL", Map.of("errorId", "e1"), inDetails);
        };
        EnqueueFailedException error =
                assertThrows(EnqueueFailedException.class, () -> client.enqueue(Shelf.SID));
        assertEquals(RECORDING, error.recording().orElseThrow());
        assertEquals("INTERNAL", error.reason());
        assertEquals("e1", error.metadata().get("errorId"));
    }

    @Test
    void inABatchAnErrorIsAResult() {
        service.batch = request -> batch(1, 4);
        List<EnqueueReason> reasons =
                client.batchEnqueue(requests(2)).stream().map(BatchEnqueueRecordingsResult::getReason).toList();
        assertEquals(List.of(EnqueueReason.ENQUEUE_REASON_ENQUEUED, EnqueueReason.ENQUEUE_REASON_ERROR), reasons);
    }

    @Test
    void inABatchANumberThatIsNotKnownIsAFailure() {
        service.batch = request -> batch(1, 17);
        assertThrows(EnqueueFailedException.class, () -> client.batchEnqueue(requests(2)));
    }

    @Test
    void aBatchHasOneResultARequest() {
        service.batch = request -> batch(1);
        assertThrows(ContractBrokenException.class, () -> client.batchEnqueue(requests(2)));
    }

    @Test
    void anErrorHasEverythingThatTheServiceSays() {
        service.get = request -> {
            throw Refusals.of(
                    Status.Code.INVALID_ARGUMENT,
                    "INVALID_REQUEST",
                    Map.of(),
                    Refusals.violation("recording_sid"),
                    Refusals.retryAfterMillis(1_500 % 1_000));
        };
        InvalidRequestException error = assertThrows(InvalidRequestException.class, () -> client.get("RE1"));
        assertEquals(Status.Code.INVALID_ARGUMENT, error.code().orElseThrow());
        assertEquals("INVALID_REQUEST", error.reason());
        assertEquals("refused: INVALID_REQUEST", error.getMessage());
        assertEquals(List.of(new FieldViolation("recording_sid", "is none")), error.fieldViolations());
        assertEquals(Duration.ofMillis(500), error.retryDelay().orElseThrow());
    }

    @Test
    void theMetadataOfAReasonHasAName() {
        service.get = request -> {
            throw Refusals.of(Status.Code.FAILED_PRECONDITION, "RECORDING_NOT_READY", Map.of("state", "QUEUED"));
        };
        RecordingNotReadyException error =
                assertThrows(RecordingNotReadyException.class, () -> client.get(Shelf.SID));
        assertEquals("QUEUED", error.state());
    }

    @Test
    void whatIsNotMadeYetSaysHowFarItIs() {
        service.get = request -> {
            throw Refusals.of(
                    Status.Code.FAILED_PRECONDITION,
                    "STEP_NOT_DONE",
                    Map.of("step", "WAVEFORM", "state", "RUNNING"));
        };
        StepNotDoneException error = assertThrows(StepNotDoneException.class, () -> client.get(Shelf.SID));
        assertEquals(List.of("WAVEFORM", "RUNNING"), List.of(error.step(), error.state()));
    }

    @Test
    void whatWillNotBeMadeSaysWhy() {
        service.get = request -> {
            throw Refusals.of(
                    Status.Code.FAILED_PRECONDITION,
                    "STEP_WITHOUT_RESULT",
                    Map.of("step", "TRANSCRIPT", "state", "SKIPPED", "processingReason", "NOT_CONFIGURED"));
        };
        StepWithoutResultException error =
                assertThrows(StepWithoutResultException.class, () -> client.get(Shelf.SID));
        assertEquals(
                List.of("TRANSCRIPT", "SKIPPED", "NOT_CONFIGURED"),
                List.of(error.step(), error.state(), error.processingReason()));
    }

    @Test
    void aReasonThatIsNotKnownIsTheBase() {
        service.get = request -> {
            throw Refusals.of(Status.Code.FAILED_PRECONDITION, "OF_A_LATER_SERVICE", Map.of());
        };
        RecordingsException error = assertThrows(RecordingsException.class, () -> client.get(Shelf.SID));
        assertEquals(RecordingsException.class, error.getClass());
        assertEquals("OF_A_LATER_SERVICE", error.reason());
    }

    @Test
    void anAnswerWithoutARecordingBreaksTheContract() {
        service.get = request -> GetRecordingResponse.getDefaultInstance();
        assertThrows(ContractBrokenException.class, () -> client.get(Shelf.SID));
    }

    @Test
    void aCallEndsAtItsDeadline() {
        use(builder().timeout(Duration.ofMillis(200)));
        service.get = request -> null;
        DeadlineExceededException error =
                assertThrows(DeadlineExceededException.class, () -> client.get(Shelf.SID));
        assertEquals(Status.Code.DEADLINE_EXCEEDED, error.code().orElseThrow());
    }

    @Test
    void aServiceThatIsAwayIsUnavailable() {
        service.stop();
        assertThrows(UnavailableException.class, () -> client.get(Shelf.SID));
        service.startAgain();
    }

    @Test
    void aServiceThatComesBackIsFoundSoon() throws Exception {
        service.get = request -> GetRecordingResponse.newBuilder().setRecording(RECORDING).build();
        service.stop();
        for (int attempt = 0; attempt < 3; attempt++) {
            assertThrows(UnavailableException.class, () -> client.get(Shelf.SID));
        }
        service.startAgain();
        long begin = System.nanoTime();
        Eventually.holds("the service answers", () -> {
            try {
                return client.get(Shelf.SID).equals(RECORDING);
            } catch (UnavailableException e) {
                return false;
            }
        });
        assertTrue(System.nanoTime() - begin < 3_000_000_000L);
    }

    @Test
    void whatMayBeRepeatedIsTriedAgainByGrpc() {
        AtomicInteger failures = new AtomicInteger(2);
        service.enqueue = request -> {
            if (failures.getAndDecrement() > 0) {
                throw Status.UNAVAILABLE.asRuntimeException();
            }
            return answer(1);
        };
        client.enqueue(Shelf.SID);
        assertEquals(3, service.calls.size());
    }

    @Test
    void aDeletionIsNotTriedAgain() {
        service.delete = request -> {
            throw Status.UNAVAILABLE.asRuntimeException();
        };
        DeleteRecordingRequest request = DeleteRecordingRequest.newBuilder().setRecordingSid(Shelf.SID).build();
        assertThrows(UnavailableException.class, () -> client.delete(request));
        assertEquals(1, service.calls.size());
        service.delete = again -> DeleteRecordingResponse.getDefaultInstance();
        assertTrue(client.delete(request).isEmpty());
    }

    @Test
    void aListIsEveryPageAndAsksForOneWhenItIsNeeded() {
        service.list = request -> {
            int page = request.getPageToken().isEmpty() ? 0 : Integer.parseInt(request.getPageToken());
            ListRecordingsResponse.Builder answer = ListRecordingsResponse.newBuilder();
            if (page != 1) {
                // A page may be empty although there is another one.
                answer.addRecordings(Recording.newBuilder().setRevision(page));
            }
            return answer.setNextPageToken(page < 2 ? Integer.toString(page + 1) : "").build();
        };
        RecordingList list = client.list(ListRecordingsRequest.getDefaultInstance());
        assertEquals(0, service.calls.size());
        Iterator<Recording> found = list.iterator();
        assertEquals(0, found.next().getRevision());
        assertEquals(1, service.calls.size());
        assertEquals(2, found.next().getRevision());
        assertFalse(found.hasNext());
        assertEquals(3, service.calls.size());
        assertEquals(2, list.stream().count());
    }

    @Test
    void aPageThatIsItsOwnNextBreaksTheContract() {
        service.list = request -> ListRecordingsResponse.newBuilder().setNextPageToken("1").build();
        assertThrows(
                ContractBrokenException.class,
                () -> client.list(ListRecordingsRequest.getDefaultInstance()).stream().count());
    }

    @Test
    void theTokenGoesWithEveryCall() {
        use(builder().token("secret"));
        service.get = request -> GetRecordingResponse.newBuilder().setRecording(RECORDING).build();
        client.get(Shelf.SID);
        assertEquals(List.of("Bearer secret"), service.authorizations);
    }

    private static EnqueueRecordingResponse answer(int reason) {
        return EnqueueRecordingResponse.newBuilder().setReasonValue(reason).build();
    }

    private static BatchEnqueueRecordingsResponse batch(int... reasons) {
        BatchEnqueueRecordingsResponse.Builder answer = BatchEnqueueRecordingsResponse.newBuilder();
        for (int reason : reasons) {
            answer.addResultsBuilder().setReasonValue(reason);
        }
        return answer.build();
    }

    private static List<EnqueueRecordingRequest> requests(int count) {
        return java.util.Collections.nCopies(count, EnqueueRecordingRequest.getDefaultInstance());
    }
}

package recordings.client;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.EnqueueFailedException;
import recordings.client.errors.Failure;
import recordings.v1.BatchEnqueueRecordingsResult;
import recordings.v1.EnqueueReason;
import recordings.v1.EnqueueRecordingResponse;
import recordings.v1.Recording;

/** What an answer with the status OK still may mean: no success, or nothing that the contract knows. */
final class Answers {
    /** Everything else is a failure, above all what isn't known here. */
    private static final Set<EnqueueReason> ACCEPTED = EnumSet.of(
            EnqueueReason.ENQUEUE_REASON_ENQUEUED,
            EnqueueReason.ENQUEUE_REASON_CACHED,
            EnqueueReason.ENQUEUE_REASON_DUPLICATE);

    private Answers() {}

    /** The answer, if it says ENQUEUED, CACHED or DUPLICATE; throws EnqueueFailedException for anything else. */
    static EnqueueRecordingResponse accepted(EnqueueRecordingResponse answer) {
        if (!ACCEPTED.contains(answer.getReason())) {
            throw failed(answer.getReasonValue(), answer.hasRecording() ? answer.getRecording() : null);
        }
        return answer;
    }

    /**
     * The results of a batch. ERROR is one.
     *
     * @throws EnqueueFailedException a result says UNSPECIFIED, or a number that isn't known here
     * @throws ContractBrokenException there isn't one result a request
     */
    static List<BatchEnqueueRecordingsResult> results(List<BatchEnqueueRecordingsResult> results, int asked) {
        if (results.size() != asked) {
            throw new ContractBrokenException(
                    Failure.of("a batch whose results are not as many as its requests"), null);
        }
        for (BatchEnqueueRecordingsResult each : results) {
            boolean isError = each.getReason() == EnqueueReason.ENQUEUE_REASON_ERROR;
            if (!isError && !ACCEPTED.contains(each.getReason())) {
                throw failed(each.getReasonValue(), each.hasRecording() ? each.getRecording() : null);
            }
        }
        return results;
    }

    /** The recording of an answer; throws ContractBrokenException if there is none. */
    static Recording present(boolean has, Recording recording) {
        if (!has) {
            throw new ContractBrokenException(Failure.of("an answer without a recording"), null);
        }
        return recording;
    }

    private static EnqueueFailedException failed(int reason, Recording recording) {
        Failure failure =
                Failure.of("the service has answered with the reason " + reason + ", which is no success");
        return new EnqueueFailedException(failure, reason, recording, null);
    }
}

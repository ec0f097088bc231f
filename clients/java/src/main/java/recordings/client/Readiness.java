package recordings.client;

import io.grpc.Status;
import java.util.HashMap;
import java.util.Map;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.Failure;
import recordings.client.errors.RecordingFailedException;
import recordings.client.errors.RecordingNotFoundException;
import recordings.client.errors.RecordingsException;
import recordings.v1.FailureReason;
import recordings.v1.Recording;

/** What the states of a recording mean for somebody who waits for its bytes. */
final class Readiness {
    private Readiness() {}

    /**
     * Waits until the recording that is watched is READY, and gives it.
     *
     * @throws RecordingFailedException it will not come
     * @throws RecordingNotFoundException it is unknown, or was deleted
     * @throws RecordingsException as the watch does
     */
    static Recording await(RecordingWatch watch) throws InterruptedException {
        for (Recording look = watch.advance(); look != null; look = watch.advance()) {
            switch (look.getState()) {
                case RECORDING_STATE_READY -> {
                    return look;
                }
                case RECORDING_STATE_FAILED -> throw failed(look);
                case RECORDING_STATE_DELETED -> throw deleted(look);
                default -> {
                    // It is on its way.
                }
            }
        }
        throw new ContractBrokenException(Failure.of("a watch that ends before the recording does"), null);
    }

    private static RecordingFailedException failed(Recording recording) {
        String text = recording.getFailureMessage();
        Map<String, String> metadata = new HashMap<>();
        metadata.put("recordingSid", recording.getRecordingSid());
        metadata.put("failureReason", nameOf(recording));
        return new RecordingFailedException(
                Failure.of(text.isEmpty() ? "the recording can't be had" : text, Status.Code.FAILED_PRECONDITION)
                        .withReason("RECORDING_FAILED")
                        .withMetadata(metadata),
                null);
    }

    private static RecordingNotFoundException deleted(Recording recording) {
        return new RecordingNotFoundException(
                Failure.of("the recording was deleted", Status.Code.NOT_FOUND)
                        .withReason("RECORDING_NOT_FOUND")
                        .withMetadata(Map.of("recordingSid", recording.getRecordingSid())),
                null);
    }

    private static String nameOf(Recording recording) {
        FailureReason reason = recording.getFailureReason();
        return reason == FailureReason.UNRECOGNIZED
                ? Integer.toString(recording.getFailureReasonValue())
                : reason.name().substring("FAILURE_REASON_".length());
    }
}

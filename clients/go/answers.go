package recordings

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// isAccepted tells whether an enqueue has succeeded. Everything else is a failure, above all what is not known here.
func isAccepted(reason recordingsv1.EnqueueReason) bool {
	switch reason {
	case recordingsv1.EnqueueReason_ENQUEUE_REASON_ENQUEUED,
		recordingsv1.EnqueueReason_ENQUEUE_REASON_CACHED,
		recordingsv1.EnqueueReason_ENQUEUE_REASON_DUPLICATE:
		return true
	default:
		return false
	}
}

// notAccepted is the error for an answer with the status OK that is no success.
func notAccepted(reason recordingsv1.EnqueueReason, recording *recordingsv1.Recording) error {
	return &EnqueueFailedError{
		RecordingsError: RecordingsError{
			Message: fmt.Sprintf("the service has answered with the reason %s, which is no success", reason),
		},
		EnqueueReason: reason,
		Recording:     recording,
	}
}

// readiness tells whether the recording is READY; an error if it will not be.
func readiness(recording *recordingsv1.Recording) (bool, error) {
	base := RecordingsError{Metadata: map[string]string{"recordingSid": recording.GetRecordingSid()}}
	switch recording.GetState() {
	case recordingsv1.RecordingState_RECORDING_STATE_READY:
		return true, nil
	case recordingsv1.RecordingState_RECORDING_STATE_FAILED:
		base.Message = recording.GetFailureMessage()
		if base.Message == "" {
			base.Message = "the recording can't be had"
		}
		base.Code, base.Reason = codes.FailedPrecondition, "RECORDING_FAILED"
		base.Metadata["failureReason"] = strings.TrimPrefix(recording.GetFailureReason().String(), "FAILURE_REASON_")
		return false, &RecordingFailedError{base}
	case recordingsv1.RecordingState_RECORDING_STATE_DELETED:
		base.Message = "the recording was deleted"
		base.Code, base.Reason = codes.NotFound, "RECORDING_NOT_FOUND"
		return false, &RecordingNotFoundError{base}
	default:
		return false, nil
	}
}

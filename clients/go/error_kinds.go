package recordings

import (
	"context"
	"io/fs"
	"strconv"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// InvalidRequestError says that the request is wrong whatever the state of the service: FieldViolations says where.
// Nothing was stored.
type InvalidRequestError struct{ RecordingsError }

// UnauthenticatedError says that credentials are missing or not valid.
type UnauthenticatedError struct{ RecordingsError }

// PermissionDeniedError says that this caller lacks a scope, or may not touch the account. Is fs.ErrPermission.
type PermissionDeniedError struct{ RecordingsError }

// Is tells errors.Is that this is a fs.ErrPermission.
func (e *PermissionDeniedError) Is(target error) bool { return target == fs.ErrPermission }

// RecordingNotFoundError says that the recording is unknown, deleted, or another account's. Is fs.ErrNotExist.
type RecordingNotFoundError struct{ RecordingsError }

// Is tells errors.Is that this is a fs.ErrNotExist.
func (e *RecordingNotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// RecordingDeletedError says that a deleted recording was enqueued: it stays deleted.
type RecordingDeletedError struct{ RecordingsError }

// RecordingNotReadyError says that the bytes were asked for before they are here: wait for them with
// [Client.WaitUntilReady], or open with [WithWait].
type RecordingNotReadyError struct{ RecordingsError }

// State gives QUEUED or DOWNLOADING.
func (e *RecordingNotReadyError) State() string { return e.Metadata["state"] }

// RecordingFailedError says that the bytes will not come. Enqueueing the recording again starts anew.
type RecordingFailedError struct{ RecordingsError }

// FailureReason says why, as the enum FailureReason names it without its prefix, such as SOURCE_ABSENT.
func (e *RecordingFailedError) FailureReason() string { return e.Metadata["failureReason"] }

// StepNotDoneError says that a waveform or a transcript was asked for before it is made: watch the recording until
// PROCESSED, or wait (RetryDelay) and ask again.
type StepNotDoneError struct{ RecordingsError }

// Step gives what is to be done yet, as the enum ProcessingStep names it without its prefix: WAVEFORM or TRANSCRIPT.
func (e *StepNotDoneError) Step() string { return e.Metadata["step"] }

// State gives PENDING or RUNNING.
func (e *StepNotDoneError) State() string { return e.Metadata["state"] }

// StepWithoutResultError says that there is no waveform, or no transcript, and that none is on its way.
type StepWithoutResultError struct{ RecordingsError }

// Step gives what has no result, as the enum ProcessingStep names it without its prefix: WAVEFORM or TRANSCRIPT.
func (e *StepWithoutResultError) Step() string { return e.Metadata["step"] }

// State gives FAILED or SKIPPED; it is empty where nobody has asked for it: enqueue the recording as FULL.
func (e *StepWithoutResultError) State() string { return e.Metadata["state"] }

// ProcessingReason says why, as the enum of that name names it without its prefix, such as MEDIA_TRUNCATED; it is empty
// if there is none.
func (e *StepWithoutResultError) ProcessingReason() string { return e.Metadata["processingReason"] }

// RecordingTruncatedError says that the stored bytes are not whole any more; the service fetches them again.
type RecordingTruncatedError struct{ RecordingsError }

// OffsetPastEndError says that a range begins after the last byte.
type OffsetPastEndError struct{ RecordingsError }

// SizeBytes gives how many bytes the recording has; 0 if the service did not say.
func (e *OffsetPastEndError) SizeBytes() int64 {
	size, err := strconv.ParseInt(e.Metadata["sizeBytes"], 10, 64)
	if err != nil {
		return 0
	}
	return size
}

// EtagMismatchError says that the bytes have become another version; two versions are never mixed. Read anew from the
// start.
type EtagMismatchError struct{ RecordingsError }

// Etag gives the current version's.
func (e *EtagMismatchError) Etag() string { return e.Metadata["etag"] }

// EnqueueFailedError says that it is not certain that the recording is queued. Asking again is safe.
type EnqueueFailedError struct {
	RecordingsError
	// EnqueueReason is the answer's: ERROR, or a number that this client does not know.
	EnqueueReason recordingsv1.EnqueueReason
	// Recording is set if it was committed all the same: then it comes to an end even if nobody asks again.
	Recording *recordingsv1.Recording
}

// CapacityExhaustedError says that as much is going on as may, or that this caller takes more than its share: wait
// (RetryDelay), and try again.
type CapacityExhaustedError struct{ RecordingsError }

// UnavailableError says that the service can't be reached, is stopping, or lacks something that it stands on.
type UnavailableError struct{ RecordingsError }

// DeadlineExceededError says that there was no answer in time. What was asked for may have been done. Is
// context.DeadlineExceeded.
type DeadlineExceededError struct{ RecordingsError }

// Is tells errors.Is that this is a context.DeadlineExceeded, whoever's deadline it was.
func (e *DeadlineExceededError) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout tells that this is a timeout, as net.Error does.
func (e *DeadlineExceededError) Timeout() bool { return true }

// InternalError says that there is a bug in the service. Metadata["errorId"] finds it in the service's log.
type InternalError struct{ RecordingsError }

// ChecksumMismatchError comes instead of the last byte of a whole read that is not what the recording's SHA-256 says.
type ChecksumMismatchError struct{ RecordingsError }

// ContractBrokenError says that the service has sent what its contract rules out; nothing of it is passed on.
type ContractBrokenError struct{ RecordingsError }

// ClientClosedError says that the client, or the reader, was used after Close. Is fs.ErrClosed.
type ClientClosedError struct{ RecordingsError }

// Is tells errors.Is that this is a fs.ErrClosed.
func (e *ClientClosedError) Is(target error) bool { return target == fs.ErrClosed }

func contractBroken(how string) error {
	return &ContractBrokenError{RecordingsError{Message: how}}
}

func closed(what string) error {
	return &ClientClosedError{RecordingsError{Message: "the " + what + " is closed"}}
}

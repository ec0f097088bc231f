package recordings

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// domain is that of the service's ErrorInfo.
const domain = "recording-service"

// kind makes the error of one type.
type kind func(RecordingsError) error

func invalidRequest(e RecordingsError) error    { return &InvalidRequestError{e} }
func unauthenticated(e RecordingsError) error   { return &UnauthenticatedError{e} }
func permissionDenied(e RecordingsError) error  { return &PermissionDeniedError{e} }
func capacityExhausted(e RecordingsError) error { return &CapacityExhaustedError{e} }
func unavailable(e RecordingsError) error       { return &UnavailableError{e} }
func deadlineExceeded(e RecordingsError) error  { return &DeadlineExceededError{e} }
func internal(e RecordingsError) error          { return &InternalError{e} }
func other(e RecordingsError) error             { return &e }
func enqueueFailed(e RecordingsError) error {
	return &EnqueueFailedError{RecordingsError: e, EnqueueReason: recordingsv1.EnqueueReason_ENQUEUE_REASON_ERROR}
}

// byReason is the one table from the service's reasons to the types of this package.
var byReason = map[string]kind{
	"INVALID_REQUEST":        invalidRequest,
	"UNAUTHENTICATED":        unauthenticated,
	"SCOPE_MISSING":          permissionDenied,
	"ACCOUNT_NOT_ALLOWED":    permissionDenied,
	"RECORDING_NOT_FOUND":    func(e RecordingsError) error { return &RecordingNotFoundError{e} },
	"RECORDING_DELETED":      func(e RecordingsError) error { return &RecordingDeletedError{e} },
	"RECORDING_NOT_READY":    func(e RecordingsError) error { return &RecordingNotReadyError{e} },
	"RECORDING_FAILED":       func(e RecordingsError) error { return &RecordingFailedError{e} },
	"STEP_NOT_DONE":          func(e RecordingsError) error { return &StepNotDoneError{e} },
	"STEP_WITHOUT_RESULT":    func(e RecordingsError) error { return &StepWithoutResultError{e} },
	"RECORDING_TRUNCATED":    func(e RecordingsError) error { return &RecordingTruncatedError{e} },
	"OFFSET_PAST_END":        func(e RecordingsError) error { return &OffsetPastEndError{e} },
	"ETAG_MISMATCH":          func(e RecordingsError) error { return &EtagMismatchError{e} },
	"ENQUEUE_FAILED":         enqueueFailed,
	"STORAGE_FULL":           enqueueFailed,
	"CAPACITY_EXHAUSTED":     capacityExhausted,
	"CALLER_LIMIT_EXCEEDED":  capacityExhausted,
	"WATCH_OVERRUN":          capacityExhausted,
	"SERVER_DRAINING":        unavailable,
	"DEPENDENCY_UNAVAILABLE": unavailable,
	"INTERNAL":               internal,
}

// byCode is for a status without a reason that this client knows: of a proxy in between, of gRPC itself, or of a later
// service. ABORTED, NOT_FOUND and their like mean nothing certain without a reason.
var byCode = map[codes.Code]kind{
	codes.InvalidArgument:   invalidRequest,
	codes.Unauthenticated:   unauthenticated,
	codes.PermissionDenied:  permissionDenied,
	codes.ResourceExhausted: capacityExhausted,
	codes.Unavailable:       unavailable,
	codes.DeadlineExceeded:  deadlineExceeded,
	codes.Internal:          internal,
}

// translated gives the error that a failed call is, of what gRPC says.
func translated(failed error) error {
	said := status.Convert(failed)
	base := RecordingsError{Message: said.Message(), Code: said.Code(), cause: failed}
	if base.Message == "" {
		base.Message = "the call failed"
	}
	var enqueued *recordingsv1.EnqueueRecordingResponse
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == domain {
				base.Reason, base.Metadata = detail.GetReason(), detail.GetMetadata()
			}
		case *errdetails.BadRequest:
			for _, each := range detail.GetFieldViolations() {
				base.FieldViolations = append(base.FieldViolations,
					FieldViolation{Field: each.GetField(), Description: each.GetDescription()})
			}
		case *errdetails.RetryInfo:
			base.RetryDelay, base.retryInfo = detail.GetRetryDelay().AsDuration(), true
		case *recordingsv1.EnqueueRecordingResponse:
			enqueued = detail
		}
	}
	found := kindOf(base.Reason, base.Code)(base)
	if enqueued != nil && !isCallersOwn(found) {
		return &EnqueueFailedError{
			RecordingsError: base, EnqueueReason: enqueued.GetReason(), Recording: enqueued.GetRecording(),
		}
	}
	return found
}

// isCallersOwn tells of an enqueue whether asking again can't mend it. All else leaves it uncertain whether the recording
// is queued.
func isCallersOwn(failed error) bool {
	switch failed.(type) {
	case *InvalidRequestError, *RecordingDeletedError, *UnauthenticatedError, *PermissionDeniedError:
		return true
	default:
		return false
	}
}

func kindOf(reason string, code codes.Code) kind {
	if found, ok := byReason[reason]; ok {
		return found
	}
	if found, ok := byCode[code]; ok {
		return found
	}
	return other
}

// ownDoing gives the error for a context of the caller's that is done: closing, its deadline, or its cancelling.
func ownDoing(ctx context.Context) error {
	cause := context.Cause(ctx)
	var closed *ClientClosedError
	switch {
	case errors.As(cause, &closed):
		return closed
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &DeadlineExceededError{RecordingsError{
			Message: "the caller's deadline is over", Code: codes.DeadlineExceeded, cause: cause,
		}}
	default:
		// A cause of the caller's own doesn't have to be context.Canceled, which everybody asks for.
		return &RecordingsError{
			Message: "the caller has cancelled", Code: codes.Canceled, cause: errors.Join(ctx.Err(), cause),
		}
	}
}

// baseOf gives what every error about a call has; nil for one of another kind.
func baseOf(err error) *RecordingsError {
	var base *RecordingsError
	if errors.As(err, &base) {
		return base
	}
	return nil
}

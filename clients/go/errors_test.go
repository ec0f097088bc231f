package recordings_test

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// after gives the error of a call that the service answers like that.
func after(t *testing.T, answer error) error {
	t.Helper()
	s := newService(t, 0)
	s.unary = failing(answer)
	_, err := newClient(t, s.target).Get(shortly(t), &recordingsv1.GetRecordingRequest{RecordingSid: sid})
	if err == nil {
		t.Fatal("no error")
	}
	return err
}

func TestErrorsAreTypedByTheirReason(t *testing.T) {
	// As the table in clients/README.md has it.
	for reason, expected := range map[string]error{
		"INVALID_REQUEST":        &recordings.InvalidRequestError{},
		"UNAUTHENTICATED":        &recordings.UnauthenticatedError{},
		"SCOPE_MISSING":          &recordings.PermissionDeniedError{},
		"ACCOUNT_NOT_ALLOWED":    &recordings.PermissionDeniedError{},
		"RECORDING_NOT_FOUND":    &recordings.RecordingNotFoundError{},
		"RECORDING_DELETED":      &recordings.RecordingDeletedError{},
		"RECORDING_NOT_READY":    &recordings.RecordingNotReadyError{},
		"RECORDING_FAILED":       &recordings.RecordingFailedError{},
		"STEP_NOT_DONE":          &recordings.StepNotDoneError{},
		"STEP_WITHOUT_RESULT":    &recordings.StepWithoutResultError{},
		"RECORDING_TRUNCATED":    &recordings.RecordingTruncatedError{},
		"OFFSET_PAST_END":        &recordings.OffsetPastEndError{},
		"ETAG_MISMATCH":          &recordings.EtagMismatchError{},
		"ENQUEUE_FAILED":         &recordings.EnqueueFailedError{},
		"STORAGE_FULL":           &recordings.EnqueueFailedError{},
		"CAPACITY_EXHAUSTED":     &recordings.CapacityExhaustedError{},
		"CALLER_LIMIT_EXCEEDED":  &recordings.CapacityExhaustedError{},
		"WATCH_OVERRUN":          &recordings.CapacityExhaustedError{},
		"SERVER_DRAINING":        &recordings.UnavailableError{},
		"DEPENDENCY_UNAVAILABLE": &recordings.UnavailableError{},
		"INTERNAL":               &recordings.InternalError{},
		"A_LATER_REASON":         &recordings.RecordingsError{},
	} {
		t.Run(reason, func(t *testing.T) {
			// A code that means nothing by itself.
			err := after(t, failure(codes.Unknown, reason, map[string]string{"recordingSid": sid}))
			expectEqual(t, "type", reflect.TypeOf(err), reflect.TypeOf(expected))
			base := expectError[*recordings.RecordingsError](t, fmt.Errorf("wrapped: %w", err))
			expectEqual(t, "reason", base.Reason, reason)
			expectEqual(t, "message", base.Message, "a failure on command")
			expectEqual(t, "code", base.Code, codes.Unknown)
			expectEqual(t, "metadata", base.Metadata["recordingSid"], sid)
		})
	}
}

func TestWithoutAReasonErrorsAreTypedByTheirCode(t *testing.T) {
	for code, expected := range map[codes.Code]error{
		codes.InvalidArgument:    &recordings.InvalidRequestError{},
		codes.Unauthenticated:    &recordings.UnauthenticatedError{},
		codes.PermissionDenied:   &recordings.PermissionDeniedError{},
		codes.ResourceExhausted:  &recordings.CapacityExhaustedError{},
		codes.DeadlineExceeded:   &recordings.DeadlineExceededError{},
		codes.Internal:           &recordings.InternalError{},
		codes.NotFound:           &recordings.RecordingsError{},
		codes.FailedPrecondition: &recordings.RecordingsError{},
		codes.Aborted:            &recordings.RecordingsError{},
		codes.Unimplemented:      &recordings.RecordingsError{},
	} {
		err := after(t, status.Error(code, "by something in between"))
		expectEqual(t, code.String(), reflect.TypeOf(err), reflect.TypeOf(expected))
		expectEqual(t, "status code", status.Code(err), code)
	}
}

func TestAReasonOfAnotherDomainIsNone(t *testing.T) {
	foreign, err := status.New(codes.Aborted, "no").WithDetails(
		&errdetails.ErrorInfo{Domain: "example.com", Reason: "ETAG_MISMATCH"},
	)
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "reason", expectError[*recordings.RecordingsError](t, after(t, foreign.Err())).Reason, "")
}

func TestNobodyAnswersIsUnavailable(t *testing.T) {
	client := newClient(t, "127.0.0.1:1")
	_, err := client.Get(shortly(t), &recordingsv1.GetRecordingRequest{})
	expectError[*recordings.UnavailableError](t, err)
}

func TestAnErrorHasWhatTheServiceSaid(t *testing.T) {
	err := after(t, failure(codes.InvalidArgument, "INVALID_REQUEST", nil,
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "recording_sid", Description: "must be RE and 32 hex digits"},
		}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)},
	))
	invalid := expectError[*recordings.InvalidRequestError](t, err)
	expectEqual(t, "violations", len(invalid.FieldViolations), 1)
	expectEqual(t, "field", invalid.FieldViolations[0].Field, "recording_sid")
	expectEqual(t, "description", invalid.FieldViolations[0].Description, "must be RE and 32 hex digits")
	expectEqual(t, "delay", invalid.RetryDelay, 7*time.Second)
	said, ok := status.FromError(err)
	expectEqual(t, "is a status", ok, true)
	expectEqual(t, "details of the status", len(said.Details()), 3)
	expectEqual(t, "text", err.Error(), "recordings: a failure on command (INVALID_REQUEST)")
}

func TestWhateverTheReasonAnAnswerInTheDetailsIsEnqueueFailed(t *testing.T) {
	answer := &recordingsv1.EnqueueRecordingResponse{Reason: 4, Recording: &recordingOf{RecordingSid: sid}}
	for _, reason := range []string{"ENQUEUE_FAILED", "STORAGE_FULL", "INTERNAL"} {
		failed := expectError[*recordings.EnqueueFailedError](t, after(t, failure(codes.Internal, reason, nil, answer)))
		expectEqual(t, "reason", failed.Reason, reason)
		expectEqual(t, "enqueue reason", failed.EnqueueReason, recordingsv1.EnqueueReason_ENQUEUE_REASON_ERROR)
		expectEqual(t, "recording", failed.Recording.GetRecordingSid(), sid)
	}
}

func TestErrorsAreWhatTheStandardLibraryCallsThem(t *testing.T) {
	for reason, expected := range map[string]error{
		"RECORDING_NOT_FOUND": fs.ErrNotExist, "SCOPE_MISSING": fs.ErrPermission,
	} {
		if err := after(t, failure(codes.Unknown, reason, nil)); !errors.Is(err, expected) {
			t.Errorf("%v is no %v", err, expected)
		}
	}
}

func TestErrorsHaveTheirOwnMetadataByName(t *testing.T) {
	metadata := map[string]string{"state": "QUEUED", "failureReason": "SOURCE_ABSENT", "sizeBytes": "12", "etag": "e"}
	expectEqual(t, "state", expectError[*recordings.RecordingNotReadyError](t,
		after(t, failure(codes.FailedPrecondition, "RECORDING_NOT_READY", metadata))).State(), "QUEUED")
	expectEqual(t, "failure reason", expectError[*recordings.RecordingFailedError](t,
		after(t, failure(codes.FailedPrecondition, "RECORDING_FAILED", metadata))).FailureReason(), "SOURCE_ABSENT")
	pending := expectError[*recordings.StepNotDoneError](t, after(t, failure(codes.FailedPrecondition, "STEP_NOT_DONE",
		map[string]string{"step": "WAVEFORM", "state": "RUNNING"})))
	expectEqual(t, "step", pending.Step(), "WAVEFORM")
	expectEqual(t, "state", pending.State(), "RUNNING")
	skipped := expectError[*recordings.StepWithoutResultError](t, after(t, failure(codes.FailedPrecondition,
		"STEP_WITHOUT_RESULT",
		map[string]string{"step": "TRANSCRIPT", "state": "SKIPPED", "processingReason": "NOT_CONFIGURED"})))
	expectEqual(t, "step", skipped.Step(), "TRANSCRIPT")
	expectEqual(t, "state", skipped.State(), "SKIPPED")
	expectEqual(t, "processing reason", skipped.ProcessingReason(), "NOT_CONFIGURED")
	expectEqual(t, "size", expectError[*recordings.OffsetPastEndError](t,
		after(t, failure(codes.OutOfRange, "OFFSET_PAST_END", metadata))).SizeBytes(), 12)
	expectEqual(t, "etag", expectError[*recordings.EtagMismatchError](t,
		after(t, failure(codes.Aborted, "ETAG_MISMATCH", metadata))).Etag(), "e")
}

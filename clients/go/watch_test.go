package recordings_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

const (
	queued      = recordingsv1.RecordingState_RECORDING_STATE_QUEUED
	downloading = recordingsv1.RecordingState_RECORDING_STATE_DOWNLOADING
	ready       = recordingsv1.RecordingState_RECORDING_STATE_READY
	failed      = recordingsv1.RecordingState_RECORDING_STATE_FAILED
	deleted     = recordingsv1.RecordingState_RECORDING_STATE_DELETED
)

// showing is a watch that shows these states, whose number is the revision too, and then ends like that.
func showing(end error, states ...recordingsv1.RecordingState) func(lookStream) error {
	return func(stream lookStream) error {
		for _, state := range states {
			shown := &recordingOf{RecordingSid: sid, State: state, Revision: int64(state)}
			if err := stream.Send(&look{Recording: shown}); err != nil {
				return err
			}
		}
		return end
	}
}

// silently is a watch that shows these states and nothing more.
func silently(states ...recordingsv1.RecordingState) func(lookStream) error {
	return func(stream lookStream) error {
		if err := showing(nil, states...)(stream); err != nil {
			return err
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}
}

var watched = &recordingsv1.WatchRecordingRequest{RecordingSid: sid}

func statesOf(ctx context.Context, client *recordings.Client) (states []recordingsv1.RecordingState, err error) {
	for recording, err := range client.Watch(ctx, watched) {
		if err != nil {
			return states, err
		}
		states = append(states, recording.GetState())
	}
	return states, nil
}

func TestAWatchGivesEachRevisionOnceAndEndsWhenTheServiceSaysSo(t *testing.T) {
	s := newService(t, 0)
	s.watches = []func(lookStream) error{showing(nil, queued, queued, downloading, ready)}
	states, err := statesOf(shortly(t), newClient(t, s.target))
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "looks", len(states), 3)
}

func TestAWatchIsOpenedAgainAfterThese(t *testing.T) {
	info := &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Millisecond)}
	for name, end := range map[string]error{
		"UNAVAILABLE":                      failure(codes.Unavailable, "SERVER_DRAINING", nil),
		"its own deadline":                 failure(codes.DeadlineExceeded, "", nil),
		"RESOURCE_EXHAUSTED and RetryInfo": failure(codes.ResourceExhausted, "WATCH_OVERRUN", nil, info),
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, 0)
			s.watches = []func(lookStream) error{showing(end), showing(end, queued), showing(nil, queued, ready)}
			states, err := statesOf(context.Background(), newClient(t, s.target))
			if err != nil {
				t.Fatal(err)
			}
			expectEqual(t, "looks", len(states), 2)
			expectEqual(t, "watches", s.watched, 3)
		})
	}
	for _, code := range []codes.Code{codes.Canceled, codes.Internal} {
		t.Run(code.String()+" once it has shown something", func(t *testing.T) {
			s := newService(t, 0)
			s.watches = []func(lookStream) error{showing(failure(code, "", nil), queued), showing(nil, queued, ready)}
			states, err := statesOf(context.Background(), newClient(t, s.target))
			if err != nil {
				t.Fatal(err)
			}
			expectEqual(t, "looks", len(states), 2)
		})
	}
}

func TestAWatchIsNotOpenedAgainAfterAnythingElse(t *testing.T) {
	for _, code := range []codes.Code{
		codes.NotFound, codes.InvalidArgument, codes.PermissionDenied, codes.ResourceExhausted, codes.Unknown,
	} {
		s := newService(t, 0)
		s.watches = []func(lookStream) error{showing(failure(code, "", nil), queued)}
		states, err := statesOf(shortly(t), newClient(t, s.target))
		expectEqual(t, "code", expectError[*recordings.RecordingsError](t, err).Code, code)
		expectEqual(t, "looks", len(states), 1)
		expectEqual(t, "watches", s.watched, 1)
	}
}

func TestWithoutADeadlineAWatchGivesUpAfterSoManyStreamsWithoutAMessage(t *testing.T) {
	s := newService(t, 0)
	away := showing(failure(codes.Unavailable, "SERVER_DRAINING", nil))
	s.watches = []func(lookStream) error{away, away, showing(failure(codes.Unavailable, "", nil), queued), away, away}
	states, err := statesOf(context.Background(), newClient(t, s.target, recordings.WithResumeAttempts(2)))
	expectEqual(t, "reason", expectError[*recordings.UnavailableError](t, err).Reason, "SERVER_DRAINING")
	expectEqual(t, "looks", len(states), 1)
	expectEqual(t, "watches", s.watched, 5)
}

func TestWithADeadlineAWatchGoesOnUntilThen(t *testing.T) {
	s := newService(t, 0)
	for range 20 {
		s.watches = append(s.watches, showing(failure(codes.Unavailable, "", nil)))
	}
	s.watches = append(s.watches, silently(queued))
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	client := newClient(t, s.target, recordings.WithResumeAttempts(1), recordings.WithResumeMaxBackoff(time.Millisecond))
	states, err := statesOf(ctx, client)
	expectError[*recordings.DeadlineExceededError](t, err)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no context.DeadlineExceeded", err)
	}
	expectEqual(t, "looks", len(states), 1)
	eventually(t, "the watch is cancelled", func() bool { return s.running.Load() == 0 })
}

func TestLeavingAWatchCancelsItAtOnce(t *testing.T) {
	s := newService(t, 0)
	s.watches = []func(lookStream) error{silently(queued)}
	for recording, err := range newClient(t, s.target).Watch(context.Background(), watched) {
		if err != nil {
			t.Fatal(err)
		}
		expectEqual(t, "state", recording.GetState(), queued)
		break
	}
	eventually(t, "the watch is cancelled", func() bool { return s.running.Load() == 0 })
}

func TestCancellingOrClosingEndsAWatch(t *testing.T) {
	s := newService(t, 0)
	s.watches = []func(lookStream) error{silently(queued), silently(queued)}
	client := newClient(t, s.target)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	end := func(ctx context.Context, action func()) (err error) {
		for _, err = range client.Watch(ctx, watched) {
			if err == nil {
				action()
			}
		}
		return err
	}
	if err := end(ctx, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("%v is no context.Canceled", err)
	}
	expectError[*recordings.ClientClosedError](t, end(context.Background(), func() { client.Close() }))
}

func TestAWatchThatEndsBeforeItsFirstLookBreaksTheContract(t *testing.T) {
	s := newService(t, 0)
	s.watches = []func(lookStream) error{showing(nil)}
	_, err := statesOf(shortly(t), newClient(t, s.target))
	expectError[*recordings.ContractBrokenError](t, err)
}

func TestWaitUntilReadyGivesTheReadyRecording(t *testing.T) {
	s := newService(t, 0)
	s.watches = []func(lookStream) error{showing(failure(codes.Unavailable, "", nil), queued), showing(nil, downloading, ready)}
	recording, err := newClient(t, s.target).WaitUntilReady(shortly(t), sid, recordings.InAccount(account))
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "state", recording.GetState(), ready)
}

func TestWaitUntilReadySaysWhyARecordingWillNotCome(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	s.watches = []func(lookStream) error{
		func(stream lookStream) error {
			absent := recordingsv1.FailureReason_FAILURE_REASON_SOURCE_ABSENT
			return stream.Send(&look{Recording: &recordingOf{RecordingSid: sid, State: failed, FailureReason: absent}})
		},
		showing(nil, queued, deleted),
		showing(failure(codes.NotFound, "RECORDING_NOT_FOUND", nil)),
		showing(nil, queued),
	}
	_, err := client.WaitUntilReady(shortly(t), sid)
	failure := expectError[*recordings.RecordingFailedError](t, err)
	expectEqual(t, "failure reason", failure.FailureReason(), "SOURCE_ABSENT")
	expectEqual(t, "reason", failure.Reason, "RECORDING_FAILED")
	expectEqual(t, "code", failure.Code, codes.FailedPrecondition)
	for _, name := range []string{"deleted", "unknown"} {
		_, err = client.WaitUntilReady(shortly(t), sid)
		expectEqual(t, name, expectError[*recordings.RecordingNotFoundError](t, err).Code, codes.NotFound)
	}
	_, err = client.WaitUntilReady(shortly(t), sid)
	expectError[*recordings.ContractBrokenError](t, err)
}

package recordings_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// answering is what answers any call with that.
func answering(answer any) func(context.Context, any) (any, error) {
	return func(context.Context, any) (any, error) { return answer, nil }
}

func failing(err error) func(context.Context, any) (any, error) {
	return func(context.Context, any) (any, error) { return nil, err }
}

func TestEnqueueAnswersEnqueuedCachedOrDuplicate(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	for _, reason := range []recordingsv1.EnqueueReason{1, 2, 3} {
		s.unary = answering(&recordingsv1.EnqueueRecordingResponse{Reason: reason})
		answer, err := client.Enqueue(shortly(t), &recordingsv1.EnqueueRecordingRequest{RecordingSid: sid})
		if err != nil {
			t.Fatal(err)
		}
		expectEqual(t, "reason", answer.GetReason(), reason)
	}
}

func TestEnqueueFailsOnAnythingElseAlthoughTheCallWasOK(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	for _, reason := range []recordingsv1.EnqueueReason{0, 4, 5, 99, -1} {
		s.unary = answering(&recordingsv1.EnqueueRecordingResponse{Reason: reason, Recording: s.recording})
		_, err := client.Enqueue(shortly(t), &recordingsv1.EnqueueRecordingRequest{RecordingSid: sid})
		failed := expectError[*recordings.EnqueueFailedError](t, err)
		expectEqual(t, "reason", failed.EnqueueReason, reason)
		expectEqual(t, "recording", failed.Recording.GetRecordingSid(), sid)
	}
}

func TestInABatchAnItemsErrorIsAResultAndAnUnknownNumberAFailure(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	asked := make([]*recordingsv1.EnqueueRecordingRequest, 2)
	for i := range asked {
		asked[i] = &recordingsv1.EnqueueRecordingRequest{RecordingSid: sid}
	}
	answer := func(reasons ...recordingsv1.EnqueueReason) {
		given := &recordingsv1.BatchEnqueueRecordingsResponse{}
		for _, each := range reasons {
			given.Results = append(given.Results, &recordingsv1.BatchEnqueueRecordingsResult{Reason: each})
		}
		s.unary = answering(given)
	}
	answer(1, 4)
	results, err := client.BatchEnqueue(shortly(t), asked)
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "results", len(results), 2)
	answer(1, 77)
	_, err = client.BatchEnqueue(shortly(t), asked)
	expectEqual(t, "reason", expectError[*recordings.EnqueueFailedError](t, err).EnqueueReason, 77)
	answer(1)
	_, err = client.BatchEnqueue(shortly(t), asked)
	expectError[*recordings.ContractBrokenError](t, err)
}

func TestTheOtherCallsGiveWhatTheServiceAnswers(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	ctx := shortly(t)
	var asked any
	answer := func(given any) {
		s.unary = func(_ context.Context, request any) (any, error) {
			asked = request
			return given, nil
		}
	}
	check := func(recording *recordingsv1.Recording, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		expectEqual(t, "answer", recording.GetRecordingSid(), sid)
		expectEqual(t, "request", asked.(interface{ GetRecordingSid() string }).GetRecordingSid(), sid)
	}
	answer(&recordingsv1.ReportRecordingUnavailableResponse{Recording: s.recording})
	check(client.ReportUnavailable(ctx, &recordingsv1.ReportRecordingUnavailableRequest{RecordingSid: sid}))
	answer(&recordingsv1.GetRecordingResponse{Recording: s.recording})
	check(client.Get(ctx, &recordingsv1.GetRecordingRequest{RecordingSid: sid}))
	answer(&recordingsv1.DeleteRecordingResponse{Recording: s.recording})
	check(client.Delete(ctx, &recordingsv1.DeleteRecordingRequest{RecordingSid: sid}))
	answer(&recordingsv1.CreatePlaybackUrlResponse{Url: "https://example.com/a"})
	made, err := client.CreatePlaybackURL(ctx, &recordingsv1.CreatePlaybackUrlRequest{RecordingSid: sid})
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "url", made.GetUrl(), "https://example.com/a")
}

func TestDeleteOfWhatWasNeverKnownGivesNoTombstone(t *testing.T) {
	s := newService(t, 0)
	s.unary = answering(&recordingsv1.DeleteRecordingResponse{})
	recording, err := newClient(t, s.target).Delete(
		shortly(t), &recordingsv1.DeleteRecordingRequest{RecordingSid: sid, AllowMissing: true},
	)
	if recording != nil || err != nil {
		t.Errorf("%v and %v", recording, err)
	}
}

func TestAnAnswerWithoutItsRecordingBreaksTheContract(t *testing.T) {
	s := newService(t, 0)
	s.unary = answering(&recordingsv1.GetRecordingResponse{})
	_, err := newClient(t, s.target).Get(shortly(t), &recordingsv1.GetRecordingRequest{RecordingSid: sid})
	expectError[*recordings.ContractBrokenError](t, err)
}

func TestDeleteIsNotTriedAgainAndEveryOtherCallIs(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	tries := 0
	s.unary = func(context.Context, any) (any, error) {
		tries++
		return nil, failure(codes.Unavailable, "SERVER_DRAINING", nil)
	}
	_, err := client.Delete(shortly(t), &recordingsv1.DeleteRecordingRequest{})
	expectError[*recordings.UnavailableError](t, err)
	expectEqual(t, "tries of Delete", tries, 1)
	tries = 0
	_, err = client.Get(shortly(t), &recordingsv1.GetRecordingRequest{})
	expectError[*recordings.UnavailableError](t, err)
	expectEqual(t, "tries of Get", tries, 4)
}

func TestListGivesEveryPageAndAsksForNoMoreThanIsUsed(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	asked := 0
	s.unary = func(_ context.Context, request any) (any, error) {
		page := request.(*recordingsv1.ListRecordingsRequest)
		expectEqual(t, "token", page.GetPageToken(), strings.Repeat("x", asked))
		expectEqual(t, "filter", page.GetCallSids()[0], "CA1")
		asked++
		answer := &recordingsv1.ListRecordingsResponse{NextPageToken: strings.Repeat("x", asked)}
		for i := range 2 {
			name := fmt.Sprintf("RE%d.%d", asked, i)
			answer.Recordings = append(answer.Recordings, &recordingOf{RecordingSid: name})
		}
		if asked == 3 {
			answer.NextPageToken = ""
		}
		return answer, nil
	}
	request := &recordingsv1.ListRecordingsRequest{PageSize: 2, CallSids: []string{"CA1"}}
	var found []string
	for recording, err := range client.List(shortly(t), request) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, recording.GetRecordingSid())
	}
	expectEqual(t, "found", strings.Join(found, " "), "RE1.0 RE1.1 RE2.0 RE2.1 RE3.0 RE3.1")
	expectEqual(t, "the caller's own token", request.GetPageToken(), "")
	asked = 0
	for _, err := range client.List(shortly(t), request) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	expectEqual(t, "pages for one", asked, 1)
}

func TestListEndsAfterAnError(t *testing.T) {
	s := newService(t, 0)
	s.unary = func(_ context.Context, request any) (any, error) {
		if request.(*recordingsv1.ListRecordingsRequest).GetPageToken() == "" {
			return &recordingsv1.ListRecordingsResponse{Recordings: []*recordingOf{{}}, NextPageToken: "x"}, nil
		}
		return nil, failure(codes.InvalidArgument, "INVALID_REQUEST", nil)
	}
	var failures []error
	for _, err := range newClient(t, s.target).List(shortly(t), nil) {
		failures = append(failures, err)
	}
	expectEqual(t, "items", len(failures), 2)
	expectError[*recordings.InvalidRequestError](t, failures[1])
}

func TestListDoesNotGoInCircles(t *testing.T) {
	s := newService(t, 0)
	s.unary = answering(&recordingsv1.ListRecordingsResponse{NextPageToken: "x"})
	for _, err := range newClient(t, s.target).List(shortly(t), nil) {
		expectError[*recordings.ContractBrokenError](t, err)
	}
}

func TestEachCallHasADeadlineItsContextsOrTheOptions(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target, recordings.WithTimeout(30*time.Millisecond))
	s.unary = func(ctx context.Context, _ any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	_, err := client.Get(context.Background(), &recordingsv1.GetRecordingRequest{})
	expectError[*recordings.DeadlineExceededError](t, err)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no context.DeadlineExceeded", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err = client.Get(ctx, &recordingsv1.GetRecordingRequest{})
	expectError[*recordings.DeadlineExceededError](t, err)
	if time.Since(begin) < 50*time.Millisecond {
		t.Error("the context's deadline did not count")
	}
}

func TestACallThatTheCallerCancelsIsContextCanceled(t *testing.T) {
	s := newService(t, 0)
	ctx, cancel := context.WithCancel(shortly(t))
	s.unary = func(called context.Context, _ any) (any, error) {
		cancel()
		<-called.Done()
		return nil, called.Err()
	}
	_, err := newClient(t, s.target).Get(ctx, &recordingsv1.GetRecordingRequest{})
	expectEqual(t, "code", expectError[*recordings.RecordingsError](t, err).Code, codes.Canceled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is no context.Canceled", err)
	}
}

func TestAClosedClientSaysSo(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target)
	s.unary = func(ctx context.Context, _ any) (any, error) {
		// In the middle of a call.
		go client.Close()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	_, under := client.Get(shortly(t), &recordingsv1.GetRecordingRequest{})
	_, after := client.Get(shortly(t), &recordingsv1.GetRecordingRequest{})
	_, open := client.Open(shortly(t), sid)
	_, wait := client.WaitUntilReady(shortly(t), sid)
	for _, err := range []error{under, after, open, wait} {
		expectError[*recordings.ClientClosedError](t, err)
	}
	for range 2 {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheTokenGoesWithEachCallUnlessTheContextHasAnother(t *testing.T) {
	s := newService(t, 0)
	client := newClient(t, s.target, recordings.WithToken("secret"))
	var sent []string
	s.unary = func(ctx context.Context, _ any) (any, error) {
		came, _ := metadata.FromIncomingContext(ctx)
		sent = came.Get("authorization")
		return &recordingsv1.GetRecordingResponse{Recording: s.recording}, nil
	}
	own := metadata.AppendToOutgoingContext(shortly(t), "authorization", "Bearer own")
	for expected, ctx := range map[string]context.Context{"Bearer secret": shortly(t), "Bearer own": own} {
		if _, err := client.Get(ctx, &recordingsv1.GetRecordingRequest{}); err != nil {
			t.Fatal(err)
		}
		expectEqual(t, "authorization", strings.Join(sent, " and "), expected)
	}
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if shown := fmt.Sprintf(format, client); strings.Contains(shown, "secret") {
			t.Errorf("%s shows the token: %s", format, shown)
		}
	}
}

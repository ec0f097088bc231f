package recordings

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// Enqueue asks for a recording: ENQUEUED, CACHED or DUPLICATE. Idempotent. Anything else is an [*EnqueueFailedError]:
// it is not certain that the recording is queued, and asking again is safe.
func (c *Client) Enqueue(
	ctx context.Context, request *recordingsv1.EnqueueRecordingRequest,
) (*recordingsv1.EnqueueRecordingResponse, error) {
	answer, err := call(ctx, c, c.service.EnqueueRecording, request)
	if err != nil {
		return nil, err
	}
	if !isAccepted(answer.GetReason()) {
		return nil, notAccepted(answer.GetReason(), answer.GetRecording())
	}
	return answer, nil
}

// BatchEnqueue asks for up to 1000 recordings: a result for each, in order. Idempotent. The reason ERROR is a result; one
// that this client does not know makes all of it an [*EnqueueFailedError].
func (c *Client) BatchEnqueue(
	ctx context.Context, requests []*recordingsv1.EnqueueRecordingRequest,
) ([]*recordingsv1.BatchEnqueueRecordingsResult, error) {
	asked := &recordingsv1.BatchEnqueueRecordingsRequest{Requests: requests}
	answer, err := call(ctx, c, c.service.BatchEnqueueRecordings, asked)
	if err != nil {
		return nil, err
	}
	results := answer.GetResults()
	if len(results) != len(requests) {
		return nil, contractBroken("a batch whose results are not as many as its requests")
	}
	for _, each := range results {
		if reason := each.GetReason(); !isAccepted(reason) && reason != recordingsv1.EnqueueReason_ENQUEUE_REASON_ERROR {
			return nil, notAccepted(reason, each.GetRecording())
		}
	}
	return results, nil
}

// ReportUnavailable says that Twilio has no such recording, and gives the recording as it is then. Idempotent.
func (c *Client) ReportUnavailable(
	ctx context.Context, request *recordingsv1.ReportRecordingUnavailableRequest,
) (*recordingsv1.Recording, error) {
	answer, err := call(ctx, c, c.service.ReportRecordingUnavailable, request)
	return required(answer.GetRecording(), err)
}

// Get looks a recording up. One that is unknown or deleted is a [*RecordingNotFoundError].
func (c *Client) Get(
	ctx context.Context, request *recordingsv1.GetRecordingRequest,
) (*recordingsv1.Recording, error) {
	answer, err := call(ctx, c, c.service.GetRecording, request)
	return required(answer.GetRecording(), err)
}

// List gives every recording that matches, newest first; page by page, and only as far as is asked for. It ends after
// an error. Without a deadline of the context each page has [WithTimeout]'s. Each use of the sequence asks anew.
func (c *Client) List(
	ctx context.Context, request *recordingsv1.ListRecordingsRequest,
) iter.Seq2[*recordingsv1.Recording, error] {
	return func(yield func(*recordingsv1.Recording, error) bool) {
		page := &recordingsv1.ListRecordingsRequest{}
		proto.Merge(page, request)
		for {
			answer, err := call(ctx, c, c.service.ListRecordings, page)
			if err == nil && answer.GetNextPageToken() != "" && answer.GetNextPageToken() == page.GetPageToken() {
				err = contractBroken("a page that names itself as the next one")
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, each := range answer.GetRecordings() {
				if !yield(each, nil) {
					return
				}
			}
			if page.PageToken = answer.GetNextPageToken(); page.PageToken == "" {
				return
			}
		}
	}
}

// CreatePlaybackURL makes a URL by which whoever has it may play the recording until it expires: it belongs in no log.
// Idempotent: nothing is stored.
func (c *Client) CreatePlaybackURL(
	ctx context.Context, request *recordingsv1.CreatePlaybackUrlRequest,
) (*recordingsv1.CreatePlaybackUrlResponse, error) {
	return call(ctx, c, c.service.CreatePlaybackUrl, request)
}

// Delete deletes a recording for good, and gives its tombstone; nil if it was never known and allow_missing is set.
// Idempotent with that; without, what isn't there is a [*RecordingNotFoundError]. It is not tried again by itself: the
// answer to the first try could be lost, and the second would say NOT_FOUND.
func (c *Client) Delete(
	ctx context.Context, request *recordingsv1.DeleteRecordingRequest,
) (*recordingsv1.Recording, error) {
	answer, err := call(ctx, c, c.service.DeleteRecording, request)
	return answer.GetRecording(), err
}

// call makes a call that has one answer.
func call[Request, Answer any](
	ctx context.Context, c *Client,
	method func(context.Context, *Request, ...grpc.CallOption) (*Answer, error), request *Request,
) (*Answer, error) {
	if err := c.checkOpen(); err != nil {
		return nil, err
	}
	limited := ctx
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, c.options.timeout)
		defer cancel()
	}
	answer, err := method(c.options.authorized(limited), request)
	if err != nil {
		return nil, c.errorOf(ctx, err)
	}
	return answer, nil
}

// required gives a recording that an answer must have.
func required(recording *recordingsv1.Recording, err error) (*recordingsv1.Recording, error) {
	if err == nil && recording == nil {
		err = contractBroken("an answer without a recording")
	}
	return recording, err
}

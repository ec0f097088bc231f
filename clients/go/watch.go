package recordings

import (
	"context"
	"errors"
	"io"
	"iter"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// Watch gives the recording as it is, then after each change, each revision once, until it is READY (or as asked),
// FAILED or DELETED. It ends after an error.
//
// It opens its stream again by itself and never polls. With a deadline of the context it goes on doing so until then,
// which is a [*DeadlineExceededError]; without, until [WithResumeAttempts] streams in a row have brought nothing. Leaving
// the loop cancels the stream at once. Each use of the sequence is a watch of its own.
func (c *Client) Watch(
	ctx context.Context, request *recordingsv1.WatchRecordingRequest,
) iter.Seq2[*recordingsv1.Recording, error] {
	return func(yield func(*recordingsv1.Recording, error) bool) {
		ctx, release := c.bound(ctx)
		defer release(nil)
		_, hasDeadline := ctx.Deadline()
		w := watch{client: c, ctx: ctx, request: request}
		// How a watch breaks before its first message is no different from how it does later.
		w.setbacks = setbacks{options: c.options, unlimited: hasDeadline}
		defer w.drop()
		for {
			look, err := w.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(look, err) || err != nil {
				return
			}
		}
	}
}

// WaitUntilReady waits until a recording is READY, and gives it: until the deadline of the context
// ([*DeadlineExceededError]), or for as long as it takes. It never polls. A recording that will not come is a
// [*RecordingFailedError], one that is unknown or deleted a [*RecordingNotFoundError].
func (c *Client) WaitUntilReady(
	ctx context.Context, recordingSid string, options ...WaitOption,
) (*recordingsv1.Recording, error) {
	request := &recordingsv1.WatchRecordingRequest{RecordingSid: recordingSid}
	for _, each := range options {
		each.applyToWait(request)
	}
	for look, err := range c.Watch(ctx, request) {
		if err != nil {
			return nil, err
		}
		ready, err := readiness(look)
		if err != nil {
			return nil, err
		}
		if ready {
			return look, nil
		}
	}
	return nil, contractBroken("a watch that ends before the recording is READY")
}

// watch is one use of a Watch.
type watch struct {
	client   *Client
	ctx      context.Context
	request  *recordingsv1.WatchRecordingRequest
	setbacks setbacks
	stream   *messageStream[recordingsv1.WatchRecordingResponse]
	release  context.CancelFunc
	// last is the look before; nil before the first one.
	last *recordingsv1.Recording
}

// next gives the next look; io.EOF at the end.
func (w *watch) next() (*recordingsv1.Recording, error) {
	for {
		message, err := w.receive()
		switch {
		case errors.Is(err, io.EOF):
			if w.last == nil {
				return nil, contractBroken("a watch that ends before its first look")
			}
			return nil, io.EOF
		case err != nil:
			if err := w.waitAfter(err); err != nil {
				return nil, err
			}
		case message.GetRecording() == nil:
			return nil, contractBroken("a look at no recording")
		default:
			w.setbacks.messageCame()
			look := message.GetRecording()
			if w.last == nil || w.last.GetRevision() != look.GetRevision() {
				w.last = look
				return look, nil
			}
		}
	}
}

func (w *watch) receive() (*recordingsv1.WatchRecordingResponse, error) {
	// Of a stream; keepalive finds out in between whether there is anybody.
	patience := defaults.WatchTimeoutSeconds.duration()
	if w.stream == nil {
		ctx, release := context.WithTimeout(w.ctx, patience)
		stream, err := openStream(ctx, w.client, w.client.service.WatchRecording, w.request, patience)
		if err != nil {
			release()
			return nil, err
		}
		w.stream, w.release = stream, release
	}
	return w.stream.next(patience)
}

// waitAfter waits before the next stream. It gives the error if there is to be none.
func (w *watch) waitAfter(failed error) error {
	w.drop()
	if w.ctx.Err() != nil {
		return ownDoing(w.ctx)
	}
	var late *DeadlineExceededError
	if errors.As(failed, &late) {
		// The stream's own, as long as this watch has time left: no fault of anyone.
		failed = brokenOff(late.Message, late)
	}
	delay, err := w.setbacks.after(failed)
	if err != nil {
		return err
	}
	return pause(w.ctx, delay)
}

func (w *watch) drop() {
	if w.stream != nil {
		w.stream.close()
		w.release()
		w.stream, w.release = nil, nil
	}
}

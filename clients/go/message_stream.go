package recordings

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// errStalled is why a stream was cancelled that has brought nothing for too long.
var errStalled = errors.New("the stream has brought nothing for too long")

// messageStream is one gRPC stream of messages, each of which is waited for with patience. Not for concurrent use. Its
// owner closes it whatever happens: that cancels it.
type messageStream[Message any] struct {
	client *Client
	// caller is the context that it was opened for, apart from which it is cancelled.
	caller   context.Context
	ctx      context.Context
	cancel   context.CancelCauseFunc
	messages grpc.ServerStreamingClient[Message]
	// watchdog cancels the stream. It runs only while a message is waited for: time in which nobody reads isn't counted.
	watchdog *time.Timer
}

// openStream opens a stream, in so much time.
func openStream[Request, Message any](
	caller context.Context, c *Client,
	method func(context.Context, *Request, ...grpc.CallOption) (grpc.ServerStreamingClient[Message], error),
	request *Request, within time.Duration,
) (*messageStream[Message], error) {
	if err := c.checkOpen(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(caller)
	s := &messageStream[Message]{client: c, caller: caller, ctx: ctx, cancel: cancel}
	s.watchdog = time.AfterFunc(within, func() { cancel(errStalled) })
	messages, err := method(c.options.authorized(ctx), request)
	s.watchdog.Stop()
	if err != nil {
		err = s.errorOf(err)
		s.close()
		return nil, err
	}
	s.messages = messages
	return s, nil
}

// next gives the next message, if it comes in so much time; io.EOF after an OK.
func (s *messageStream[Message]) next(within time.Duration) (*Message, error) {
	s.watchdog.Reset(within)
	message, err := s.messages.Recv()
	s.watchdog.Stop()
	if err != nil {
		return nil, s.errorOf(err)
	}
	return message, nil
}

// close cancels the stream at once. Idempotent.
func (s *messageStream[Message]) close() {
	s.watchdog.Stop()
	s.cancel(nil)
}

func (s *messageStream[Message]) errorOf(failed error) error {
	switch {
	case errors.Is(failed, io.EOF):
		return io.EOF
	case s.caller.Err() == nil && errors.Is(context.Cause(s.ctx), errStalled):
		return brokenOff(errStalled.Error(), failed)
	default:
		return s.client.errorOf(s.caller, failed)
	}
}

// brokenOff is the error for a stream that has not done what it had to, and is to be opened again.
func brokenOff(how string, cause error) error {
	return &UnavailableError{RecordingsError{Message: how, Code: codes.Unavailable, cause: cause}}
}

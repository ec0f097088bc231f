package recordings

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// Client calls the recording service. One for a program is enough: it is safe for concurrent use, connects when it is
// first used, and reconnects by itself. Close it.
//
// Calls take a context. One with a single answer has the context's deadline, or else [WithTimeout]'s. Metadata of its
// own goes in the context too (metadata.AppendToOutgoingContext); an authorization there takes the place of the token.
type Client struct {
	// options is a pointer also so that no %+v of a Client shows the token.
	options    *options
	connection *grpc.ClientConn
	service    recordingsv1.RecordingServiceClient
	isClosed   atomic.Bool
	// closing is done once the client is closed; its cause is the error for whoever is under way.
	closing context.Context
	close   context.CancelCauseFunc
}

// New makes a client of the service at a target, as gRPC names it: 127.0.0.1:50051, dns:///…, unix:/…. It does not
// connect yet. An option that can't be is an [*InvalidOptionError].
func New(target string, options ...Option) (*Client, error) {
	chosen, err := newOptions(options)
	if err != nil {
		return nil, err
	}
	connection, err := dial(target, chosen)
	if err != nil {
		return nil, err
	}
	closing, cancel := context.WithCancelCause(context.Background())
	return &Client{
		options:    chosen,
		connection: connection,
		service:    recordingsv1.NewRecordingServiceClient(connection),
		closing:    closing,
		close:      cancel,
	}, nil
}

// Close cancels all that is under way, readers and watches too, and closes the connection. Idempotent.
func (c *Client) Close() error {
	if c.isClosed.Swap(true) {
		return nil
	}
	c.close(closed("client"))
	return c.connection.Close()
}

func (c *Client) checkOpen() error {
	if c.isClosed.Load() {
		return closed("client")
	}
	return nil
}

// bound gives a context that is done as well once the client is closed. Its function must be called in the end.
func (c *Client) bound(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.closing, func() { cancel(context.Cause(c.closing)) })
	return ctx, func(cause error) {
		stop()
		cancel(cause)
	}
}

// errorOf gives the error that a failed call is, made with that context of the caller's.
func (c *Client) errorOf(ctx context.Context, failed error) error {
	if err := c.checkOpen(); err != nil {
		return err
	}
	found := translated(failed)
	if ctx.Err() != nil {
		switch found.(type) {
		case *DeadlineExceededError, *UnavailableError, *RecordingsError:
			return ownDoing(ctx)
		}
	}
	return found
}

package recordings

import (
	"context"
	"errors"
	"io"
)

// Open opens a recording's bytes: a file to read from, and to seek in. It returns once the first bytes are here, so that
// what can't be read is an error now: [*RecordingNotReadyError] (unless [WithWait] is given), [*RecordingFailedError],
// [*RecordingNotFoundError] …; a negative offset or length is a fs.ErrInvalid.
//
// The context is that of the reader for as long as it is open: once it is done, reading fails.
func (c *Client) Open(ctx context.Context, recordingSid string, options ...OpenOption) (*Reader, error) {
	chosen, err := newOpenOptions(recordingSid, options)
	if err != nil {
		return nil, err
	}
	if err := c.checkOpen(); err != nil {
		return nil, err
	}
	if chosen.wait {
		if err := c.waitToOpen(ctx, chosen); err != nil {
			return nil, err
		}
	}
	r := &Reader{client: c, wanted: chosen.wanted, position: chosen.wanted.offset}
	r.ctx, r.release = c.bound(ctx)
	if _, err := r.bring(r.position); err != nil && !errors.Is(err, io.EOF) {
		r.release(nil)
		return nil, err
	}
	return r, nil
}

func (c *Client) waitToOpen(ctx context.Context, chosen *openOptions) error {
	if chosen.waitTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, chosen.waitTimeout)
		defer cancel()
	}
	_, err := c.WaitUntilReady(ctx, chosen.wanted.recordingSid, InAccount(chosen.wanted.accountSid))
	return err
}

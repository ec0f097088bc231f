package recordings

import (
	"fmt"
	"io/fs"
	"time"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// OpenOption is an option of [Client.Open].
type OpenOption interface{ applyToOpen(*openOptions) }

// WaitOption is an option of [Client.WaitUntilReady].
type WaitOption interface {
	applyToWait(*recordingsv1.WatchRecordingRequest)
}

// AccountOption is an option wherever a recording is named; see [InAccount].
type AccountOption string

// InAccount names the Twilio account of the recording. Without it the recording is found by its own SID.
func InAccount(accountSid string) AccountOption { return AccountOption(accountSid) }

func (a AccountOption) applyToOpen(o *openOptions) { o.wanted.accountSid = string(a) }

func (a AccountOption) applyToWait(request *recordingsv1.WatchRecordingRequest) {
	request.AccountSid = string(a)
}

// WithOffset opens the recording from that byte on, counted from 0.
func WithOffset(offset int64) OpenOption {
	return openOption(func(o *openOptions) { o.wanted.offset = offset })
}

// WithLength opens at most so many bytes. Without it: all to the end.
func WithLength(length int64) OpenOption {
	return openOption(func(o *openOptions) { o.wanted.length, o.hasLength = length, true })
}

// WithEtag opens that version of the bytes; another is an [*EtagMismatchError]. Without it: the one that is current
// then.
func WithEtag(etag string) OpenOption {
	return openOption(func(o *openOptions) { o.wanted.etag = etag })
}

// WithWait waits first until the recording is READY, as [Client.WaitUntilReady] does: for so long at most, or with 0 for
// as long as the context allows.
func WithWait(timeout time.Duration) OpenOption {
	return openOption(func(o *openOptions) { o.wait, o.waitTimeout = true, timeout })
}

type openOption func(*openOptions)

func (f openOption) applyToOpen(o *openOptions) { f(o) }

type openOptions struct {
	wanted      byteRange
	hasLength   bool
	wait        bool
	waitTimeout time.Duration
}

func newOpenOptions(recordingSid string, given []OpenOption) (*openOptions, error) {
	o := &openOptions{wanted: byteRange{recordingSid: recordingSid, length: toTheEnd}}
	for _, each := range given {
		each.applyToOpen(o)
	}
	switch {
	case o.wanted.offset < 0:
		return nil, invalid("offset %d is below 0", o.wanted.offset)
	case o.hasLength && o.wanted.length < 0:
		return nil, invalid("length %d is below 0", o.wanted.length)
	case o.waitTimeout < 0:
		return nil, invalid("the time to wait, %s, is below 0", o.waitTimeout)
	}
	return o, nil
}

// invalid is the error for a place that no sequence has: a fs.ErrInvalid, as files give.
func invalid(format string, value any) error {
	return fmt.Errorf("recordings: "+format+": %w", value, fs.ErrInvalid)
}

package recordings

import (
	"context"
	"errors"
	"io"
	"time"
)

// finishTime is how long the end of a stream is waited for once every byte is here.
const finishTime = time.Second

// rangeStream reads a range across streams that break: every byte comes once, of one version, or next gives an error.
// Not for concurrent use. Its owner closes it whatever happens.
type rangeStream struct {
	client *Client
	// ctx is its owner's: done, it ends all.
	ctx      context.Context
	reading  rangeReading
	setbacks setbacks
	stream   *messageStream[receivedChunk]
	// chunk is the last message, whose data somebody may be using.
	chunk *receivedChunk
}

func newRangeStream(ctx context.Context, c *Client, wanted byteRange) *rangeStream {
	return &rangeStream{
		client: c, ctx: ctx, reading: newRangeReading(wanted), setbacks: setbacks{options: c.options},
	}
}

// next gives the next bytes, at most a message; io.EOF once every byte of the range has come. They are to be used until
// next or close is called.
func (s *rangeStream) next() ([]byte, error) {
	for !s.reading.isComplete() {
		data, err := s.receive()
		if len(data) > 0 {
			return data, nil
		}
		if err != nil {
			if err := s.waitAfter(err); err != nil {
				return nil, err
			}
		}
	}
	s.finish()
	return nil, io.EOF
}

// close cancels the stream at once. Idempotent.
func (s *rangeStream) close() {
	s.keep(nil)
	if s.stream != nil {
		s.stream.close()
		s.stream = nil
	}
}

// receive takes one message, of a stream that it opens if there is none.
func (s *rangeStream) receive() ([]byte, error) {
	if s.stream == nil {
		return s.open()
	}
	chunk, err := s.stream.next(s.client.options.stallTimeout)
	s.keep(chunk)
	if errors.Is(err, io.EOF) {
		return nil, brokenOff("the stream has ended before its last byte", nil)
	}
	if err != nil {
		return nil, err
	}
	data, err := s.reading.later(chunk)
	if err == nil {
		s.setbacks.messageCame()
	}
	return data, err
}

// open opens a stream, and takes its first message.
func (s *rangeStream) open() ([]byte, error) {
	patience := s.client.options.stallTimeout
	stream, err := openStream(s.ctx, s.client, s.client.streamChunks, s.reading.request(), patience)
	if err != nil {
		return nil, err
	}
	s.stream = stream
	chunk, err := stream.next(patience)
	if errors.Is(err, io.EOF) {
		// As a message that says nothing.
		chunk, err = &receivedChunk{}, nil
	}
	s.keep(chunk)
	if err != nil {
		return nil, err
	}
	isFirst := s.reading.opening == nil
	data, err := s.reading.first(chunk)
	if err == nil && (isFirst || len(data) > 0) {
		s.setbacks.messageCame()
	}
	return data, err
}

// keep lets go of the last message, and keeps this one, or none.
func (s *rangeStream) keep(chunk *receivedChunk) {
	s.chunk.free()
	s.chunk = chunk
}

// waitAfter waits before the next attempt. It gives the error if there is to be none.
func (s *rangeStream) waitAfter(failed error) error {
	s.close()
	if s.ctx.Err() != nil {
		return ownDoing(s.ctx)
	}
	delay, err := s.setbacks.after(failed)
	if err != nil {
		return err
	}
	return pause(s.ctx, delay)
}

// finish lets the stream end by itself, so that the service does not take it for an abandoned one.
func (s *rangeStream) finish() {
	if s.stream == nil {
		return
	}
	// Every byte is here; how the stream ends changes nothing (d of clients/README.md).
	_, _ = s.stream.next(finishTime)
	s.close()
}

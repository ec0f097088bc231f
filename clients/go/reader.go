package recordings

import (
	"context"
	"errors"
	"io"
	"sync"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

var (
	_ io.ReadSeekCloser = (*Reader)(nil)
	_ io.ReaderAt       = (*Reader)(nil)
	_ io.WriterTo       = (*Reader)(nil)
)

// Reader reads a recording, or a part of it, from anywhere in it. Places are the recording's own, in bytes from 0.
//
// It goes on at the exact byte after a break, never mixes two versions ([*EtagMismatchError]), and compares a whole read
// in order with the recording's SHA-256 ([*ChecksumMismatchError] instead of the last byte). After an error the place is
// the one after the last byte that was handed out, and reading goes on from there.
//
// It is safe for concurrent use: Close ends a Read under way, ReadAt may run many times at once.
type Reader struct {
	client *Client
	wanted byteRange
	ctx    context.Context
	// release cancels ctx, and all streams with it.
	release context.CancelCauseFunc
	// opened is what the first message has said; nil if nothing had to be opened, because no bytes were wanted.
	opened *opening

	// mu guards what Read, WriteTo and Seek share.
	mu       sync.Mutex
	position int64
	stream   *rangeStream
	// buffered is what has come and was not handed out, a view into a message; bufferedAt is its place.
	buffered   []byte
	bufferedAt int64
	whole      wholeRead
}

// Recording gives the recording, of the version that is read; nil if it was opened with a length of 0.
func (r *Reader) Recording() *recordingsv1.Recording {
	if r.opened == nil {
		return nil
	}
	return r.opened.recording
}

// Size gives how many bytes the whole recording has; 0 if it was opened with a length of 0.
func (r *Reader) Size() int64 { return r.Recording().GetSizeBytes() }

// Read reads at most as much as one message brings; io.EOF at the end.
func (r *Reader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.checkOpen(); err != nil || len(p) == 0 {
		return 0, err
	}
	piece, err := r.piece(len(p))
	if err != nil {
		return 0, err
	}
	count := copy(p, piece)
	r.advance(count)
	return count, nil
}

// WriteTo writes the rest to w in the pieces that it comes in, without a copy. io.Copy uses it.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var written int64
	for {
		if err := r.checkOpen(); err != nil {
			return written, err
		}
		piece, err := r.piece(-1)
		if errors.Is(err, io.EOF) {
			return written, nil
		}
		if err != nil {
			return written, err
		}
		count, err := w.Write(piece)
		r.advance(count)
		written += int64(count)
		if err == nil && count < len(piece) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return written, err
		}
	}
}

// Seek goes to a place: from the start of the recording, from where it is, or from the end of what was opened. It opens
// nothing, and may go past the end. A negative place is a fs.ErrInvalid.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.checkOpen(); err != nil {
		return 0, err
	}
	place := offset
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		place += r.position
	case io.SeekEnd:
		place += r.end()
	default:
		return 0, invalid("whence %d is unknown", whence)
	}
	if place < 0 {
		return 0, invalid("a seek to %d, which is below 0", place)
	}
	r.position = place
	return place, nil
}

// Close cancels what is under way at once, and frees the service of it. Idempotent.
func (r *Reader) Close() error {
	r.release(closed("reader"))
	return nil
}

func (r *Reader) checkOpen() error {
	if err := r.client.checkOpen(); err != nil {
		return err
	}
	if r.ctx.Err() != nil {
		return ownDoing(r.ctx)
	}
	return nil
}

// end gives one past the last byte that may be read.
func (r *Reader) end() int64 {
	if r.opened == nil {
		return r.wanted.end()
	}
	return r.opened.end
}

// piece gives what is to be handed out next, at most so many bytes (-1: all that came); io.EOF at the end.
func (r *Reader) piece(most int) ([]byte, error) {
	piece, err := r.bring(r.position)
	if err != nil {
		return nil, err
	}
	if most >= 0 {
		piece = piece[:min(most, len(piece))]
	}
	if err := r.whole.take(r.position, piece, r.opened); err != nil {
		r.drop()
		return nil, err
	}
	return piece, nil
}

// advance: so many bytes of the piece were handed out.
func (r *Reader) advance(count int) {
	r.buffered = r.buffered[count:]
	r.bufferedAt += int64(count)
	r.position = r.bufferedAt
}

// bring gives what there is from that place on, at most a message: a view. io.EOF at the end.
func (r *Reader) bring(place int64) ([]byte, error) {
	if place >= r.end() {
		r.letItEnd()
		return nil, io.EOF
	}
	// From where the stream is: further ahead than this another one is quicker.
	reach := r.bufferedAt + max(int64(len(r.buffered)), defaults.SeekAheadBytes)
	if r.stream == nil || place < r.bufferedAt || place > reach {
		r.openAt(place)
	}
	for r.bufferedAt+int64(len(r.buffered)) <= place {
		r.bufferedAt += int64(len(r.buffered))
		r.buffered = nil
		data, err := r.stream.next()
		if r.opened == nil {
			r.opened = r.stream.reading.opening
		}
		if err != nil {
			r.drop()
			return nil, err
		}
		r.buffered = data
	}
	// Not let go: what a read does not hand out after all is still here.
	r.buffered = r.buffered[place-r.bufferedAt:]
	r.bufferedAt = place
	return r.buffered, nil
}

// openAt begins a stream at that place. Nothing is opened before it is read.
func (r *Reader) openAt(place int64) {
	r.drop()
	r.stream = newRangeStream(r.ctx, r.client, r.rangeFrom(place))
	r.bufferedAt = place
}

func (r *Reader) rangeFrom(place int64) byteRange {
	if r.opened == nil {
		return r.wanted
	}
	return r.wanted.rest(r.opened, place)
}

// letItEnd lets a stream that has brought all it had end by itself; the service would take it for an abandoned one.
func (r *Reader) letItEnd() {
	if r.stream != nil && r.stream.reading.isComplete() {
		r.stream.finish()
		r.drop()
	}
}

func (r *Reader) drop() {
	if r.stream != nil {
		r.stream.close()
		r.stream = nil
	}
	r.buffered = nil
}

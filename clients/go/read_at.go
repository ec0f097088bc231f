package recordings

import (
	"errors"
	"io"
)

// ReadAt reads len(p) bytes from that place on; fewer only at the end, with io.EOF, or with an error. It opens a stream
// of its own, of the same version, and neither knows nor changes where Read is: it may run many times at once. For many
// small reads that lie side by side read more at a time, or use Seek and Read. A negative place is a fs.ErrInvalid.
func (r *Reader) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, invalid("offset %d is below 0", offset)
	}
	if err := r.checkOpen(); err != nil || len(p) == 0 {
		return 0, err
	}
	if offset >= r.end() {
		return 0, io.EOF
	}
	wanted := r.rangeFrom(offset)
	wanted.length = min(wanted.length, int64(len(p)))
	stream := newRangeStream(r.ctx, r.client, wanted)
	defer stream.close()
	count := 0
	for {
		data, err := stream.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return count, err
		}
		count += copy(p[count:], data)
	}
	// All of it at once is a whole read as well.
	var whole wholeRead
	if offset == 0 {
		if err := whole.take(0, p[:count], r.opened); err != nil {
			return 0, err
		}
	}
	if count < len(p) {
		return count, io.EOF
	}
	return count, nil
}

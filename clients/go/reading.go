package recordings

import (
	"math"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// toTheEnd stands for the length of a range that has no other end than the recording's.
const toTheEnd = -1

// byteRange is which bytes of which recording. An empty etag is whichever version is current.
type byteRange struct {
	accountSid   string
	recordingSid string
	offset       int64
	length       int64
	etag         string
}

// end gives one past the last byte that is wanted, as far as that goes without knowing the recording.
func (r byteRange) end() int64 {
	if r.length == toTheEnd || r.length > math.MaxInt64-r.offset {
		return math.MaxInt64
	}
	return r.offset + r.length
}

// opening is what the first message of a stream says: the recording, and which bytes are to come (end exclusive).
type opening struct {
	recording      *recordingsv1.Recording
	etag           string
	sha256         string
	start          int64
	end            int64
	completeLength int64
}

// rangeReading has the rules of reading a range across streams that break, free of input and output (a, b and d of
// clients/README.md). Each byte is to come once, of one version.
type rangeReading struct {
	wanted byteRange
	// opening is what the first message of all has said; nil before it.
	opening *opening
	// position is the next byte that is to come.
	position int64
}

func newRangeReading(wanted byteRange) rangeReading {
	return rangeReading{wanted: wanted, position: wanted.offset}
}

// isComplete tells whether nothing is left to come: then no stream must be opened, since a length of 0 stands for the
// end.
func (r *rangeReading) isComplete() bool {
	if r.opening == nil {
		return r.wanted.length == 0
	}
	return r.position >= r.opening.end
}

// request gives what to open the next stream with. Not to be asked once the range is complete.
func (r *rangeReading) request() *recordingsv1.StreamRecordingRequest {
	request := &recordingsv1.StreamRecordingRequest{
		AccountSid:   r.wanted.accountSid,
		RecordingSid: r.wanted.recordingSid,
		Offset:       r.position,
	}
	if r.opening != nil {
		request.Etag, request.Length = r.opening.etag, r.opening.end-r.position
	} else {
		request.Etag = r.wanted.etag
		if r.wanted.length != toTheEnd {
			request.Length = r.wanted.length
		}
	}
	return request
}

// first takes the first message of a stream, and gives its data, perhaps none.
func (r *rangeReading) first(chunk *receivedChunk) ([]byte, error) {
	promised, recording := chunk.contentRange, chunk.recording
	if chunk.failed != nil {
		return nil, chunk.failed
	}
	if promised == nil || recording == nil {
		return nil, contractBroken("a stream whose first message does not say what it brings")
	}
	now := &opening{
		recording:      recording,
		etag:           recording.GetEtag(),
		sha256:         recording.GetSha256(),
		start:          promised.GetStart(),
		end:            promised.GetEnd(),
		completeLength: promised.GetCompleteLength(),
	}
	if err := r.check(now); err != nil {
		return nil, err
	}
	if r.opening == nil {
		// The first one's range: a later stream brings what is left of it.
		r.opening = now
	}
	return r.received(chunk)
}

// later takes any further message, and gives its data, at least a byte.
func (r *rangeReading) later(chunk *receivedChunk) ([]byte, error) {
	if chunk.failed != nil {
		return nil, chunk.failed
	}
	if len(chunk.data) == 0 {
		return nil, contractBroken("an empty message that is not the first")
	}
	return r.received(chunk)
}

// check compares what a stream says with what was asked.
func (r *rangeReading) check(now *opening) error {
	pinned := r.wanted.etag
	end := min(r.wanted.end(), now.completeLength)
	if r.opening != nil {
		pinned, end = r.opening.etag, r.opening.end
	}
	switch {
	case pinned != "" && now.etag != pinned:
		return &EtagMismatchError{RecordingsError{
			Message: "the recording has become another version", Metadata: map[string]string{"etag": now.etag},
		}}
	case now.etag == "":
		return contractBroken("a stream that does not say of which version it is")
	case now.completeLength != now.recording.GetSizeBytes():
		return contractBroken("a stream whose size is not the recording's")
	case now.start != r.position || now.end != end || now.start > now.end:
		return contractBroken("a stream of another range than the one asked for")
	default:
		return nil
	}
}

func (r *rangeReading) received(chunk *receivedChunk) ([]byte, error) {
	data := chunk.data
	if len(data) == 0 {
		return nil, nil
	}
	if chunk.offset != r.position || int64(len(data)) > r.opening.end-r.position {
		return nil, contractBroken("a chunk that is not the next one")
	}
	r.position += int64(len(data))
	return data, nil
}

// rest gives the range from another place to the same end, of the version that was opened.
func (r byteRange) rest(opened *opening, place int64) byteRange {
	r.offset, r.length, r.etag = place, max(0, opened.end-place), opened.etag
	return r
}

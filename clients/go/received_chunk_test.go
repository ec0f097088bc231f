package recordings

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// FuzzAChunkIsWhatProtobufReads tries whatever bytes there are; the seeds alone are an ordinary test.
func FuzzAChunkIsWhatProtobufReads(f *testing.F) {
	for _, message := range []*recordingsv1.StreamRecordingResponse{
		{},
		{Data: []byte("data")},
		{Data: []byte("data"), Offset: 1},
		{Data: make([]byte, 300), Offset: math.MaxInt64},
		{Data: []byte("data"), Offset: -1},
		{Offset: 5},
		{Recording: &recordingsv1.Recording{Etag: "e"}, ContentRange: &recordingsv1.ContentRange{End: 3}, Data: []byte("abc")},
	} {
		bare, err := proto.Marshal(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bare)
		// Fields once more, an unknown one, a wrong kind, a number that doesn't end, and all cut short.
		f.Add(append(bytes.Clone(bare), bare...))
		f.Add(append(bytes.Clone(bare), 0x2A, 1, 'x'))
		f.Add(append(bytes.Clone(bare), 0x12, 1, 'x'))
		f.Add(append(bytes.Clone(bare), 0x10, 0x80))
		f.Add(append(bytes.Clone(bare), 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F))
		for cut := range bare {
			f.Add(bare[:cut])
		}
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		var expected recordingsv1.StreamRecordingResponse
		err := proto.Unmarshal(message, &expected)
		var chunk receivedChunk
		chunk.read(message)
		var broken *ContractBrokenError
		switch {
		case (err != nil) != errors.As(chunk.failed, &broken):
			t.Errorf("protobuf says %v, and here it is %v", err, chunk.failed)
		case err != nil:
		case !bytes.Equal(chunk.data, expected.GetData()) || chunk.offset != expected.GetOffset():
			t.Errorf("other data, or another offset: %d", chunk.offset)
		case !proto.Equal(chunk.recording, expected.GetRecording()):
			t.Error("another recording")
		case !proto.Equal(chunk.contentRange, expected.GetContentRange()):
			t.Error("another range")
		}
	})
}

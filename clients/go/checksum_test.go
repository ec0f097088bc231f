package recordings_test

import (
	"errors"
	"io"
	"testing"

	recordings "recording-service.internal/clients/go"
)

// corrupted is a service whose recording isn't what its SHA-256 says: the byte at that place is another one.
func corrupted(t *testing.T, size, place int) *service {
	s := newService(t, size)
	s.data[place] ^= 1
	return s
}

func TestGAWholeReadIsComparedBeforeItsLastByteIsHandedOut(t *testing.T) {
	for name, place := range map[string]int{"first byte": 0, "in between": chunkSize + 5, "last byte": 3*chunkSize - 1} {
		t.Run(name, func(t *testing.T) {
			s := corrupted(t, 3*chunkSize, place)
			reader := opened(t, newClient(t, s.target))
			data, err := io.ReadAll(reader)
			expectError[*recordings.ChecksumMismatchError](t, err)
			// Reading on does not get around it.
			more, err := io.ReadAll(reader)
			expectError[*recordings.ChecksumMismatchError](t, err)
			if handedOut := len(data) + len(more); handedOut >= len(s.data) {
				t.Errorf("%d bytes were handed out", handedOut)
			}
		})
	}
}

func TestGALastPieceThatComesRightAtTheSecondTryIsHandedOut(t *testing.T) {
	s := newService(t, 3*chunkSize)
	s.streams = []func(*sending) error{func(now *sending) error {
		if err := now.then(3*chunkSize-1, nil); err != nil {
			return err
		}
		return now.stream.Send(&chunk{Offset: now.position, Data: []byte{^s.data[now.position]}})
	}}
	reader := opened(t, newClient(t, s.target))
	data, err := io.ReadAll(reader)
	expectError[*recordings.ChecksumMismatchError](t, err)
	expectBytes(t, reader, s.data[len(data):])
}

func TestGACopyIsComparedToo(t *testing.T) {
	s := corrupted(t, 3*chunkSize, 7)
	written, err := io.Copy(io.Discard, opened(t, newClient(t, s.target)))
	expectError[*recordings.ChecksumMismatchError](t, err)
	if written >= int64(len(s.data)) {
		t.Errorf("%d bytes were handed out", written)
	}
}

func TestGAReadAtOfAllOfItIsComparedToo(t *testing.T) {
	s := corrupted(t, 3*chunkSize, 7)
	n, err := opened(t, newClient(t, s.target)).ReadAt(make([]byte, 3*chunkSize), 0)
	expectError[*recordings.ChecksumMismatchError](t, err)
	expectEqual(t, "bytes", n, 0)
}

func TestGReadingFromTheFirstByteOnAgainIsAWholeReadAgain(t *testing.T) {
	s := corrupted(t, 3*chunkSize, 7)
	reader := opened(t, newClient(t, s.target))
	if _, err := io.CopyN(io.Discard, reader, chunkSize); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	_, err := io.ReadAll(reader)
	expectError[*recordings.ChecksumMismatchError](t, err)
}

func TestGARangeOrAReadWithAGapCannotBeCompared(t *testing.T) {
	s := corrupted(t, 3*chunkSize, 7)
	client := newClient(t, s.target)
	expectBytes(t, opened(t, client, recordings.WithOffset(1)), s.data[1:])
	expectBytes(t, opened(t, client, recordings.WithLength(2*chunkSize)), s.data[:2*chunkSize])
	reader := opened(t, client)
	if _, err := io.CopyN(io.Discard, reader, chunkSize); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Seek(10, io.SeekCurrent); err != nil {
		t.Fatal(err)
	}
	expectBytes(t, reader, s.data[chunkSize+10:])
}

func TestGAnEmptyRecordingHasNothingToCompare(t *testing.T) {
	s := newService(t, 0)
	s.recording.Sha256 = "not looked at"
	reader := opened(t, newClient(t, s.target))
	expectBytes(t, reader, nil)
	if n, err := reader.ReadAt(make([]byte, 1), 0); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes and %v", n, err)
	}
}

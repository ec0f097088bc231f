package recordings_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	recordings "recording-service.internal/clients/go"
)

func TestReadAtMayRunManyTimesAtOnceAndDoesNotMoveRead(t *testing.T) {
	s := newService(t, 2<<20)
	reader := opened(t, newClient(t, s.target))
	var group sync.WaitGroup
	for worker := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			random := rand.New(rand.NewSource(int64(worker)))
			for range 20 {
				place := random.Intn(len(s.data))
				buffer := make([]byte, 1+random.Intn(len(s.data)-place))
				if n, err := reader.ReadAt(buffer, int64(place)); err != nil || n != len(buffer) {
					t.Errorf("%d of %d bytes: %v", n, len(buffer), err)
				}
				if !bytes.Equal(buffer, s.data[place:place+len(buffer)]) {
					t.Errorf("other bytes at %d", place)
				}
			}
		}()
	}
	expectBytes(t, reader, s.data)
	group.Wait()
}

func TestReadAtGivesFewerBytesAtTheEndOnlyAndThenEOF(t *testing.T) {
	s := newService(t, chunkSize+10)
	reader := opened(t, newClient(t, s.target))
	buffer := make([]byte, 100)
	n, err := reader.ReadAt(buffer, chunkSize)
	if n != 10 || !errors.Is(err, io.EOF) || !bytes.Equal(buffer[:n], s.data[chunkSize:]) {
		t.Errorf("%d bytes and %v", n, err)
	}
	before := len(s.requests())
	for _, place := range []int64{chunkSize + 10, chunkSize + 11, 1 << 62} {
		if n, err := reader.ReadAt(buffer, place); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("%d bytes and %v at %d", n, err, place)
		}
	}
	if n, err := reader.ReadAt(nil, 0); n != 0 || err != nil {
		t.Errorf("%d bytes and %v", n, err)
	}
	expectEqual(t, "streams for nothing", len(s.requests()), before)
}

func TestReadAtOfAPartEndsWhereThePartDoes(t *testing.T) {
	s := newService(t, chunkSize)
	reader := opened(t, newClient(t, s.target), recordings.WithOffset(100), recordings.WithLength(50))
	n, err := reader.ReadAt(make([]byte, 100), 120)
	if n != 30 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes and %v", n, err)
	}
}

func TestReadAtResumesAndIsOfTheVersionThatWasOpened(t *testing.T) {
	s := newService(t, 4*chunkSize)
	data := s.data
	reader := opened(t, newClient(t, s.target))
	s.streams = []func(*sending) error{nil, breaking(chunkSize+3, codes.Unavailable)}
	buffer := make([]byte, 2*chunkSize)
	if n, err := reader.ReadAt(buffer, 100); err != nil || !bytes.Equal(buffer[:n], data[100:100+2*chunkSize]) {
		t.Errorf("%d bytes and %v", n, err)
	}
	requests := s.requests()
	expectEqual(t, "streams", len(requests), 3)
	expectEqual(t, "offset", requests[2].GetOffset(), chunkSize+103)
	expectEqual(t, "length", requests[2].GetLength(), chunkSize-3)
	s.put(make([]byte, 4*chunkSize), "etag-2")
	_, err := reader.ReadAt(buffer, 0)
	expectEqual(t, "the current etag", expectError[*recordings.EtagMismatchError](t, err).Etag(), "etag-2")
}

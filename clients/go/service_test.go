package recordings_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

const (
	sid       = "RE00000000000000000000000000000001"
	account   = "AC00000000000000000000000000000001"
	chunkSize = 64 << 10
)

type (
	chunk      = recordingsv1.StreamRecordingResponse
	look       = recordingsv1.WatchRecordingResponse
	byteStream = grpc.ServerStreamingServer[chunk]
	lookStream = grpc.ServerStreamingServer[look]
)

// service is a service over a real connection that has one recording, and misbehaves on command.
type service struct {
	recordingsv1.UnimplementedRecordingServiceServer

	target string
	server *grpc.Server
	data   []byte
	// chunk is how many bytes a message has.
	chunk     int64
	recording *recordingsv1.Recording
	// unary answers a call with one answer; the test knows which.
	unary func(ctx context.Context, request any) (any, error)
	// streams are what becomes of the first streams, one each; further ones bring all.
	streams []func(*sending) error
	// watches are what becomes of the watches, one each; there must be no further ones.
	watches []func(lookStream) error

	mu      sync.Mutex
	opened  []*recordingsv1.StreamRecordingRequest
	watched int
	// running is how many streams and watches are open, sent how many bytes all of them have sent.
	running atomic.Int64
	sent    atomic.Int64
}

// newService starts a service that has a recording of so many bytes, and stops it in the end. By then no client may have
// a stream open, and no goroutine may be left.
func newService(t *testing.T, size int, options ...grpc.ServerOption) *service {
	t.Helper()
	expectNoLeaks(t)
	data := make([]byte, size)
	rand.New(rand.NewSource(int64(size))).Read(data)
	s := &service{chunk: chunkSize}
	s.put(data, "etag-1")
	s.start(t, "127.0.0.1:0", options...)
	t.Cleanup(func() {
		eventually(t, "no stream is open", func() bool { return s.running.Load() == 0 })
		s.server.Stop()
	})
	return s
}

func (s *service) start(t *testing.T, address string, options ...grpc.ServerOption) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.target = listener.Addr().String()
	s.server = grpc.NewServer(options...)
	recordingsv1.RegisterRecordingServiceServer(s.server, s)
	go func(server *grpc.Server) {
		if err := server.Serve(listener); err != nil {
			t.Errorf("the service can't serve: %v", err)
		}
	}(s.server)
}

// put puts another version of the recording on the shelf.
func (s *service) put(data []byte, etag string) {
	sum := sha256.Sum256(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = data
	s.recording = &recordingsv1.Recording{
		AccountSid: account, RecordingSid: sid, State: recordingsv1.RecordingState_RECORDING_STATE_READY,
		SizeBytes: int64(len(data)), Sha256: hex.EncodeToString(sum[:]), Etag: etag, Revision: 1,
	}
}

// requests are those for streams, so far.
func (s *service) requests() []*recordingsv1.StreamRecordingRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*recordingsv1.StreamRecordingRequest(nil), s.opened...)
}

// sending is one stream that is being sent, of the version that was there when it began.
type sending struct {
	service   *service
	data      []byte
	recording *recordingsv1.Recording
	stream    byteStream
	request   *recordingsv1.StreamRecordingRequest
	position  int64
	end       int64
}

func (s *service) StreamRecording(request *recordingsv1.StreamRecordingRequest, stream byteStream) error {
	s.running.Add(1)
	defer s.running.Add(-1)
	s.mu.Lock()
	index := len(s.opened)
	s.opened = append(s.opened, request)
	data, recording := s.data, s.recording
	s.mu.Unlock()
	size := int64(len(data))
	now := &sending{
		service: s, data: data, recording: recording,
		stream: stream, request: request, position: request.GetOffset(), end: size,
	}
	if length := request.GetLength(); length > 0 {
		now.end = min(size, now.position+length)
	}
	switch {
	case request.GetOffset() > size:
		return failure(codes.OutOfRange, "OFFSET_PAST_END", map[string]string{"sizeBytes": "1"})
	case request.GetEtag() != "" && request.GetEtag() != recording.GetEtag():
		return failure(codes.Aborted, "ETAG_MISMATCH", map[string]string{"etag": recording.GetEtag()})
	case index < len(s.streams):
		return s.streams[index](now)
	default:
		return now.all()
	}
}

// opening is the message that says what the stream brings.
func (s *sending) opening() *chunk {
	return &chunk{
		Offset:    s.position,
		Recording: s.recording,
		ContentRange: &recordingsv1.ContentRange{
			Start: s.position, End: s.end, CompleteLength: int64(len(s.data)),
		},
	}
}

func (s *sending) open() error { return s.stream.Send(s.opening()) }

// next sends so many bytes, in chunks.
func (s *sending) next(count int64) error {
	for stop := min(s.end, s.position+count); s.position < stop; {
		data := s.data[s.position:min(stop, s.position+s.service.chunk)]
		if err := s.stream.Send(&chunk{Offset: s.position, Data: data}); err != nil {
			return err
		}
		s.position += int64(len(data))
		s.service.sent.Add(int64(len(data)))
	}
	return nil
}

func (s *sending) all() error { return s.then(s.end-s.position, nil) }

// then opens, sends so many bytes, and ends like that.
func (s *sending) then(count int64, end error) error {
	if err := s.open(); err != nil {
		return err
	}
	if err := s.next(count); err != nil {
		return err
	}
	return end
}

// silence brings nothing until the client gives up.
func (s *sending) silence() error {
	<-s.stream.Context().Done()
	return s.stream.Context().Err()
}

// breaking is a stream that breaks with that code after so many bytes.
func breaking(after int64, code codes.Code) func(*sending) error {
	return func(s *sending) error { return s.then(after, status.Error(code, "a break")) }
}

// refusing is a stream that fails before its first message.
func refusing(err error) func(*sending) error { return func(*sending) error { return err } }

func (s *service) WatchRecording(_ *recordingsv1.WatchRecordingRequest, stream lookStream) error {
	s.running.Add(1)
	defer s.running.Add(-1)
	s.mu.Lock()
	index := s.watched
	s.watched++
	s.mu.Unlock()
	if index >= len(s.watches) {
		return status.Error(codes.FailedPrecondition, "a watch too many")
	}
	return s.watches[index](stream)
}

type recordingOf = recordingsv1.Recording

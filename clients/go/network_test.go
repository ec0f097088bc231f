package recordings_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// cuttingProxy is a proxy that cuts each of its first connections after so many bytes of the service's.
func cuttingProxy(t *testing.T, target string, cuts int32, after int64) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var connections atomic.Int32
	go func() {
		for {
			client, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			service, err := net.Dial("tcp", target)
			if err != nil {
				t.Error(err)
				client.Close()
				return
			}
			cut := func() { client.Close(); service.Close() }
			go func() {
				// Ends when either end is closed, in whatever way.
				_, _ = io.Copy(service, client)
				cut()
			}()
			go func() {
				if connections.Add(1) <= cuts {
					_, _ = io.CopyN(client, service, after)
				} else {
					_, _ = io.Copy(client, service)
				}
				cut()
			}()
		}
	}()
	return listener.Addr().String()
}

func TestConnectionsThatAreCutGoUnnoticed(t *testing.T) {
	s := newService(t, 4<<20)
	client := newClient(t, cuttingProxy(t, s.target, 5, 300_000))
	expectBytes(t, opened(t, client), s.data)
	if streams := len(s.requests()); streams < 5 {
		t.Errorf("only %d streams", streams)
	}
}

func TestARestartOfTheServiceGoesUnnoticed(t *testing.T) {
	s := newService(t, 4*chunkSize)
	target := s.target
	s.watches = []func(lookStream) error{silently(queued), showing(nil, queued, ready)}
	s.unary = answering(&recordingsv1.GetRecordingResponse{Recording: s.recording})
	client := newClient(t, target)
	reader := opened(t, client)
	looks := 0
	for recording, err := range client.Watch(shortly(t), watched) {
		if err != nil {
			t.Fatal(err)
		}
		if looks++; recording.GetState() == queued {
			s.server.Stop()
			s.start(t, target)
		}
	}
	expectEqual(t, "looks", looks, 2)
	expectBytes(t, reader, s.data)
	if _, err := client.Get(shortly(t), &recordingsv1.GetRecordingRequest{}); err != nil {
		t.Error(err)
	}
}

func TestAServiceThatAcceptsAndSaysNothingIsNotWaitedForWithoutEnd(t *testing.T) {
	expectNoLeaks(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client := newClient(t, listener.Addr().String(),
		recordings.WithTimeout(50*time.Millisecond), recordings.WithStallTimeout(50*time.Millisecond),
		recordings.WithResumeAttempts(1))
	_, err = client.Get(context.Background(), &recordingsv1.GetRecordingRequest{})
	expectError[*recordings.DeadlineExceededError](t, err)
	_, err = client.Open(shortly(t), sid)
	expectError[*recordings.UnavailableError](t, err)
}

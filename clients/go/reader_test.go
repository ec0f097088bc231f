package recordings_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/iotest"
	"time"

	"google.golang.org/grpc/codes"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// The letters are those of the rules in clients/README.md.

func TestTheReaderIsWhatTheStandardLibraryExpects(t *testing.T) {
	s := newService(t, 1000)
	s.chunk = 300
	if err := iotest.TestReader(opened(t, newClient(t, s.target)), s.data); err != nil {
		t.Error(err)
	}
}

func TestOpenSaysWhatIsRead(t *testing.T) {
	s := newService(t, chunkSize)
	reader := opened(t, newClient(t, s.target))
	expectEqual(t, "size", reader.Size(), chunkSize)
	expectEqual(t, "etag", reader.Recording().GetEtag(), "etag-1")
}

func TestWhatCannotBeReadIsAnErrorOfOpen(t *testing.T) {
	s := newService(t, chunkSize)
	s.streams = []func(*sending) error{
		refusing(failure(codes.FailedPrecondition, "RECORDING_NOT_READY", map[string]string{"state": "QUEUED"})),
	}
	_, err := newClient(t, s.target).Open(shortly(t), sid)
	expectEqual(t, "state", expectError[*recordings.RecordingNotReadyError](t, err).State(), "QUEUED")
}

func TestAFirstMessageThatIsMissingOrWrongBreaksTheContract(t *testing.T) {
	send := func(change func(*chunk)) func(*sending) error {
		return func(now *sending) error {
			first := now.opening()
			change(first)
			return now.stream.Send(first)
		}
	}
	for name, stream := range map[string]func(*sending) error{
		"missing":                refusing(nil),
		"without a range":        send(func(c *chunk) { c.ContentRange = nil }),
		"without a recording":    send(func(c *chunk) { c.Recording = nil }),
		"without an etag":        send(func(c *chunk) { c.Recording = &recordingOf{SizeBytes: chunkSize} }),
		"of another start":       send(func(c *chunk) { c.ContentRange.Start = 1 }),
		"of another end":         send(func(c *chunk) { c.ContentRange.End-- }),
		"of another size":        send(func(c *chunk) { c.ContentRange.CompleteLength++ }),
		"that ends before it":    send(func(c *chunk) { c.ContentRange.End = -1 }),
		"with a chunk elsewhere": send(func(c *chunk) { c.Offset, c.Data = 1, []byte("x") }),
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, chunkSize)
			s.streams = []func(*sending) error{stream}
			_, err := newClient(t, s.target).Open(shortly(t), sid)
			expectError[*recordings.ContractBrokenError](t, err)
		})
	}
}

func TestDWithNothingLeftToReadNoStreamIsOpened(t *testing.T) {
	s := newService(t, chunkSize)
	client := newClient(t, s.target)
	expectBytes(t, opened(t, client, recordings.WithLength(0)), nil)
	expectEqual(t, "streams", len(s.requests()), 0)
	reader := opened(t, client)
	expectBytes(t, reader, s.data)
	expectBytes(t, reader, nil)
	expectEqual(t, "streams", len(s.requests()), 1)
}

func TestFSeekingOpensNothing(t *testing.T) {
	s := newService(t, 1<<20)
	reader := opened(t, newClient(t, s.target))
	for _, each := range []struct {
		offset   int64
		whence   int
		expected int64
	}{{1 << 19, io.SeekStart, 1 << 19}, {-9, io.SeekEnd, 1<<20 - 9}, {4, io.SeekCurrent, 1<<20 - 5}, {7, io.SeekEnd, 1<<20 + 7}} {
		place, err := reader.Seek(each.offset, each.whence)
		if err != nil {
			t.Fatal(err)
		}
		expectEqual(t, "place", place, each.expected)
	}
	expectBytes(t, reader, nil)
	expectEqual(t, "streams", len(s.requests()), 1)
}

func TestFALittleAheadIsReadInTheSameStreamAndElsewhereInAnother(t *testing.T) {
	const ahead = 256 << 10
	s := newService(t, 2<<20)
	reader := opened(t, newClient(t, s.target))
	read := func(place int64, streams int) {
		t.Helper()
		if _, err := reader.Seek(place, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 100)
		if _, err := io.ReadFull(reader, buffer); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(buffer, s.data[place:place+100]) {
			t.Errorf("other bytes at %d", place)
		}
		expectEqual(t, "streams", len(s.requests()), streams)
	}
	read(100, 1)
	read(200+ahead, 1)
	read(300+2*ahead+1, 2)
	read(0, 3)
	eventually(t, "the others are cancelled", func() bool { return s.running.Load() <= 1 })
}

func TestFANegativePlaceIsInvalidAsOfAnyFile(t *testing.T) {
	s := newService(t, chunkSize)
	client := newClient(t, s.target)
	reader := opened(t, client)
	_, seek := reader.Seek(-1, io.SeekStart)
	_, whence := reader.Seek(0, 7)
	_, readAt := reader.ReadAt(make([]byte, 1), -1)
	_, offset := client.Open(shortly(t), sid, recordings.WithOffset(-1))
	_, length := client.Open(shortly(t), sid, recordings.WithLength(-1))
	_, wait := client.Open(shortly(t), sid, recordings.WithWait(-1))
	for _, err := range []error{seek, whence, readAt, offset, length, wait} {
		if !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%v is no fs.ErrInvalid", err)
		}
	}
	expectEqual(t, "streams", len(s.requests()), 1)
}

func TestHOffsetAndLengthOpenAPart(t *testing.T) {
	s := newService(t, 3*chunkSize)
	client := newClient(t, s.target)
	part := opened(t, client, recordings.WithOffset(5), recordings.WithLength(2*chunkSize), recordings.InAccount(account))
	expectBytes(t, part, s.data[5:5+2*chunkSize])
	expectEqual(t, "account", s.requests()[0].GetAccountSid(), account)
	expectBytes(t, opened(t, client, recordings.WithOffset(2*chunkSize), recordings.WithLength(1<<62)), s.data[2*chunkSize:])
	expectBytes(t, opened(t, client, recordings.WithOffset(3*chunkSize)), nil)
	_, err := client.Open(shortly(t), sid, recordings.WithOffset(3*chunkSize+1))
	expectError[*recordings.OffsetPastEndError](t, err)
}

func TestHAnEtagPinsAVersionFromTheStart(t *testing.T) {
	s := newService(t, chunkSize)
	client := newClient(t, s.target)
	expectBytes(t, opened(t, client, recordings.WithEtag("etag-1")), s.data)
	_, err := client.Open(shortly(t), sid, recordings.WithEtag("etag-0"))
	expectEqual(t, "the current etag", expectError[*recordings.EtagMismatchError](t, err).Etag(), "etag-1")
}

func TestHWithWaitARecordingThatIsNotReadyIsWaitedFor(t *testing.T) {
	s := newService(t, chunkSize)
	queued := &recordingOf{RecordingSid: sid, State: recordingsv1.RecordingState_RECORDING_STATE_QUEUED}
	s.watches = []func(lookStream) error{func(stream lookStream) error {
		if err := stream.Send(&look{Recording: queued}); err != nil {
			return err
		}
		return stream.Send(&look{Recording: s.recording})
	}}
	expectBytes(t, opened(t, newClient(t, s.target), recordings.WithWait(0)), s.data)
}

func TestHTheWaitHasADeadline(t *testing.T) {
	s := newService(t, chunkSize)
	s.watches = []func(lookStream) error{func(stream lookStream) error {
		<-stream.Context().Done()
		return stream.Context().Err()
	}}
	_, err := newClient(t, s.target).Open(shortly(t), sid, recordings.WithWait(20*time.Millisecond))
	expectError[*recordings.DeadlineExceededError](t, err)
	expectEqual(t, "streams", len(s.requests()), 0)
}

func TestIClosingCancelsTheStreamAtOnce(t *testing.T) {
	s := newService(t, 64<<20)
	client := newClient(t, s.target)
	reader := opened(t, client)
	expectEqual(t, "streams open", s.running.Load(), 1)
	for range 2 {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "the stream is cancelled", func() bool { return s.running.Load() == 0 })
	_, read := reader.Read(make([]byte, 1))
	_, readAt := reader.ReadAt(make([]byte, 1), 0)
	_, seek := reader.Seek(0, io.SeekStart)
	_, copied := io.Copy(io.Discard, reader)
	for _, err := range []error{read, readAt, seek, copied} {
		expectError[*recordings.ClientClosedError](t, err)
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v is no fs.ErrClosed", err)
		}
	}
}

func TestIClosingEndsAReadUnderWay(t *testing.T) {
	for name, close := range map[string]func(*recordings.Client, *recordings.Reader) error{
		"of the reader": func(_ *recordings.Client, reader *recordings.Reader) error { return reader.Close() },
		"of the client": func(client *recordings.Client, _ *recordings.Reader) error { return client.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, 2*chunkSize)
			s.streams = []func(*sending) error{func(now *sending) error {
				if err := now.then(chunkSize, nil); err != nil {
					return err
				}
				return now.silence()
			}}
			client := newClient(t, s.target)
			reader := opened(t, client)
			failed := make(chan error, 1)
			begun := make(chan struct{})
			go func() {
				_, err := io.CopyN(io.Discard, reader, chunkSize)
				close := err == nil
				if close {
					begun <- struct{}{}
					_, err = reader.Read(make([]byte, 1))
				}
				failed <- err
			}()
			<-begun
			if err := close(client, reader); err != nil {
				t.Error(err)
			}
			expectError[*recordings.ClientClosedError](t, <-failed)
		})
	}
}

func TestITheContextIsTheReadersForAsLongAsItIsOpen(t *testing.T) {
	s := newService(t, 64<<20)
	ctx, cancel := context.WithCancel(shortly(t))
	reader, err := newClient(t, s.target).Open(ctx, sid)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cancel()
	_, err = io.Copy(io.Discard, reader)
	expectEqual(t, "code", expectError[*recordings.RecordingsError](t, err).Code, codes.Canceled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is no context.Canceled", err)
	}
	eventually(t, "the stream is cancelled", func() bool { return s.running.Load() == 0 })
}

func TestJAFewMessagesAreInMemoryHoweverLargeTheRecording(t *testing.T) {
	s := newService(t, 64<<20)
	reader := opened(t, newClient(t, s.target))
	if _, err := reader.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	var before int64
	eventually(t, "the service can't send more", func() bool {
		still := before == s.sent.Load()
		before = s.sent.Load()
		time.Sleep(50 * time.Millisecond)
		return still && before == s.sent.Load()
	})
	if before > 8<<20 {
		t.Errorf("%d bytes were sent to somebody who reads one", before)
	}
	expectBytes(t, reader, s.data[1:])
}

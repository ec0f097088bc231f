package recordings_test

import (
	"errors"
	"io"
	"math/rand"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	recordings "recording-service.internal/clients/go"
)

// The letters are those of the rules in clients/README.md.

func TestAEveryLaterStreamIsOfTheFirstOnesVersionAndToItsEnd(t *testing.T) {
	s := newService(t, 5*chunkSize)
	s.streams = []func(*sending) error{breaking(2*chunkSize+1, codes.Unavailable)}
	expectBytes(t, opened(t, newClient(t, s.target)), s.data)
	requests := s.requests()
	expectEqual(t, "streams", len(requests), 2)
	expectEqual(t, "etag asked for at first", requests[0].GetEtag(), "")
	expectEqual(t, "etag", requests[1].GetEtag(), "etag-1")
	expectEqual(t, "offset", requests[1].GetOffset(), 2*chunkSize+1)
	expectEqual(t, "length", requests[1].GetLength(), 3*chunkSize-1)
}

func TestATwoVersionsAreNeverSpliced(t *testing.T) {
	s := newService(t, 4*chunkSize)
	first := append([]byte(nil), s.data...)
	s.streams = []func(*sending) error{func(now *sending) error {
		err := breaking(chunkSize, codes.Unavailable)(now)
		s.put(make([]byte, 4*chunkSize), "etag-2")
		return err
	}}
	data, err := io.ReadAll(opened(t, newClient(t, s.target)))
	mismatch := expectError[*recordings.EtagMismatchError](t, err)
	expectEqual(t, "the current etag", mismatch.Etag(), "etag-2")
	expectEqual(t, "what came before", string(data), string(first[:chunkSize]))
}

func TestAAServiceThatIgnoresTheEtagIsFoundOut(t *testing.T) {
	s := newService(t, 4*chunkSize)
	s.streams = []func(*sending) error{breaking(chunkSize, codes.Unavailable), func(now *sending) error {
		first := now.opening()
		first.Recording = &recordingOf{Etag: "etag-2", SizeBytes: 4 * chunkSize}
		return now.stream.Send(first)
	}}
	_, err := io.ReadAll(opened(t, newClient(t, s.target)))
	expectEqual(t, "the current etag", expectError[*recordings.EtagMismatchError](t, err).Etag(), "etag-2")
}

func TestBTheNextByteIsTheOneAfterTheLastThatCame(t *testing.T) {
	for name, wrong := range map[string]*chunk{
		"a gap":          {Offset: chunkSize + 1, Data: []byte("x")},
		"a repetition":   {Offset: chunkSize - 1, Data: []byte("x")},
		"past the end":   {Offset: chunkSize, Data: make([]byte, chunkSize+1)},
		"no bytes":       {Offset: chunkSize},
		"before a break": {Offset: 0, Data: []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, 2*chunkSize)
			s.streams = []func(*sending) error{func(now *sending) error {
				if err := now.then(chunkSize, nil); err != nil {
					return err
				}
				return now.stream.Send(wrong)
			}}
			data, err := io.ReadAll(opened(t, newClient(t, s.target)))
			expectError[*recordings.ContractBrokenError](t, err)
			expectEqual(t, "bytes before it", len(data), chunkSize)
		})
	}
}

func TestCAfterTheseItResumes(t *testing.T) {
	retryInfo := &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Millisecond)}
	for name, end := range map[string]error{
		"UNAVAILABLE":                      failure(codes.Unavailable, "SERVER_DRAINING", nil),
		"OK":                               nil,
		"CANCELLED":                        failure(codes.Canceled, "", nil),
		"INTERNAL":                         failure(codes.Internal, "", nil),
		"RESOURCE_EXHAUSTED and RetryInfo": failure(codes.ResourceExhausted, "CAPACITY_EXHAUSTED", nil, retryInfo),
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, 3*chunkSize)
			s.streams = []func(*sending) error{func(now *sending) error { return now.then(chunkSize+7, end) }}
			expectBytes(t, opened(t, newClient(t, s.target)), s.data)
			expectEqual(t, "streams", len(s.requests()), 2)
		})
	}
}

func TestCAfterNothingElse(t *testing.T) {
	for _, code := range []codes.Code{
		codes.Unknown, codes.DataLoss, codes.NotFound, codes.FailedPrecondition, codes.OutOfRange, codes.InvalidArgument,
		codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted, codes.PermissionDenied, codes.Unauthenticated,
	} {
		t.Run(code.String(), func(t *testing.T) {
			s := newService(t, 3*chunkSize)
			s.streams = []func(*sending) error{breaking(chunkSize, code)}
			_, err := io.ReadAll(opened(t, newClient(t, s.target)))
			expectEqual(t, "code", expectError[*recordings.RecordingsError](t, err).Code, code)
			expectEqual(t, "streams", len(s.requests()), 1)
		})
	}
}

func TestCBeforeTheFirstMessageOnlyUnavailableIsABreak(t *testing.T) {
	for code, resumes := range map[codes.Code]bool{
		codes.Unavailable: true, codes.Canceled: false, codes.Internal: false,
	} {
		t.Run(code.String(), func(t *testing.T) {
			s := newService(t, chunkSize)
			s.streams = []func(*sending) error{refusing(failure(code, "", nil))}
			reader, err := newClient(t, s.target).Open(shortly(t), sid)
			if !resumes {
				expectEqual(t, "code", expectError[*recordings.RecordingsError](t, err).Code, code)
				expectEqual(t, "streams", len(s.requests()), 1)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			expectBytes(t, reader, s.data)
		})
	}
}

func TestDEveryByteIsTheEndWhateverTheStatusIs(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.NotFound, codes.Internal, codes.DataLoss} {
		t.Run(code.String(), func(t *testing.T) {
			s := newService(t, 3*chunkSize)
			s.streams = []func(*sending) error{breaking(3*chunkSize, code)}
			expectBytes(t, opened(t, newClient(t, s.target)), s.data)
			expectEqual(t, "streams", len(s.requests()), 1)
		})
	}
}

func TestDAServiceThatIsSilentAfterTheLastByteIsNotWaitedForLong(t *testing.T) {
	s := newService(t, chunkSize)
	s.streams = []func(*sending) error{func(now *sending) error {
		if err := now.all(); err != nil {
			return err
		}
		return now.silence()
	}}
	expectBytes(t, opened(t, newClient(t, s.target)), s.data)
}

func TestEAttemptsAreCountedFromTheLastMessage(t *testing.T) {
	s := newService(t, 8*chunkSize)
	for range 7 {
		away := refusing(failure(codes.Unavailable, "", nil))
		s.streams = append(s.streams, away, away, breaking(chunkSize, codes.Unavailable))
	}
	expectBytes(t, opened(t, newClient(t, s.target, recordings.WithResumeAttempts(3))), s.data)
	expectEqual(t, "streams", len(s.requests()), 22)
}

func TestEOnceTheyAreUsedUpTheLastErrorIsGiven(t *testing.T) {
	s := newService(t, 2*chunkSize)
	away := refusing(failure(codes.Unavailable, "DEPENDENCY_UNAVAILABLE", nil))
	s.streams = []func(*sending) error{breaking(chunkSize, codes.Unavailable), away, away, away}
	reader := opened(t, newClient(t, s.target, recordings.WithResumeAttempts(2)))
	data, err := io.ReadAll(reader)
	expectEqual(t, "reason", expectError[*recordings.UnavailableError](t, err).Reason, "DEPENDENCY_UNAVAILABLE")
	expectEqual(t, "bytes before it", len(data), chunkSize)
	expectEqual(t, "streams", len(s.requests()), 3)
	s.streams = nil
	// Reading goes on from there.
	expectBytes(t, reader, s.data[chunkSize:])
}

func TestEItWaitsAtLeastAsLongAsTheServiceSays(t *testing.T) {
	s := newService(t, 2*chunkSize)
	const delay = 50 * time.Millisecond
	info := &errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}
	var broken, again time.Time
	s.streams = []func(*sending) error{
		func(now *sending) error {
			err := now.then(chunkSize, failure(codes.ResourceExhausted, "CALLER_LIMIT_EXCEEDED", nil, info))
			broken = time.Now()
			return err
		},
		func(now *sending) error {
			again = time.Now()
			return now.all()
		},
	}
	expectBytes(t, opened(t, newClient(t, s.target)), s.data)
	if waited := again.Sub(broken); waited < delay {
		t.Errorf("it has waited %s", waited)
	}
}

func TestEAStreamThatIsSilentIsOpenedAgain(t *testing.T) {
	s := newService(t, 3*chunkSize)
	silent := func(now *sending) error {
		if err := now.then(chunkSize, nil); err != nil {
			return err
		}
		return now.silence()
	}
	s.streams = []func(*sending) error{(*sending).silence, silent}
	expectBytes(t, opened(t, newClient(t, s.target, recordings.WithStallTimeout(300*time.Millisecond))), s.data)
	expectEqual(t, "streams", len(s.requests()), 3)
}

func TestESilenceIsUnavailableInTheEnd(t *testing.T) {
	s := newService(t, chunkSize)
	s.streams = []func(*sending) error{(*sending).silence, (*sending).silence}
	client := newClient(t, s.target, recordings.WithStallTimeout(20*time.Millisecond), recordings.WithResumeAttempts(1))
	_, err := client.Open(shortly(t), sid)
	expectError[*recordings.UnavailableError](t, err)
}

func TestEASlowReaderIsNotASlowService(t *testing.T) {
	s := newService(t, 3*chunkSize)
	const stall = 200 * time.Millisecond
	reader := opened(t, newClient(t, s.target, recordings.WithStallTimeout(stall)))
	buffer := make([]byte, chunkSize)
	for range 3 {
		if _, err := io.ReadFull(reader, buffer); err != nil {
			t.Fatal(err)
		}
		// Nobody reads: that is what is tried here.
		time.Sleep(2 * stall)
	}
	if _, err := reader.Read(buffer); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	expectEqual(t, "streams", len(s.requests()), 1)
}

func TestAThousandBreaksAtRandomBytes(t *testing.T) {
	const breaks = 1000
	s := newService(t, 64<<20)
	random := rand.New(rand.NewSource(1))
	for range breaks {
		after := random.Int63n(2 * int64(len(s.data)) / breaks * 9 / 10)
		s.streams = append(s.streams, breaking(after, codes.Unavailable))
	}
	expectBytes(t, opened(t, newClient(t, s.target)), s.data)
	if streams := len(s.requests()); streams < breaks*9/10 {
		t.Errorf("only %d streams", streams)
	}
}

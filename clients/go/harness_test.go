package recordings_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	recordings "recording-service.internal/clients/go"
)

// patience is how long anything may take here before it counts as never.
const patience = 10 * time.Second

// newClient makes a client of the service that waits little after a break, and closes it in the end.
func newClient(t *testing.T, target string, options ...recordings.Option) *recordings.Client {
	t.Helper()
	quick := []recordings.Option{recordings.WithResumeInitialBackoff(time.Millisecond)}
	client, err := recordings.New(target, append(quick, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("the client can't be closed: %v", err)
		}
	})
	return client
}

// opened opens the recording, and closes it in the end.
func opened(t *testing.T, client *recordings.Client, options ...recordings.OpenOption) *recordings.Reader {
	t.Helper()
	reader, err := client.Open(shortly(t), sid, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reader.Close(); err != nil {
			t.Errorf("the reader can't be closed: %v", err)
		}
	})
	return reader
}

// shortly is a context with a deadline: nothing hangs.
func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until that holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("not true within %s: %s", patience, what)
		}
	}
}

// expectNoLeaks expects in the end that as many goroutines run as now.
func expectNoLeaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for begin := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Since(begin) > patience {
				var stacks bytes.Buffer
				if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
					t.Error(err)
				}
				t.Fatalf("%d goroutines were there before, now %d:\n%s", before, runtime.NumGoroutine(), &stacks)
			}
		}
	})
}

// failure is an error as the service makes them.
func failure(code codes.Code, reason string, metadata map[string]string, further ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Domain: "recording-service", Reason: reason, Metadata: metadata}
	said, err := status.New(code, "a failure on command").WithDetails(append(further, info)...)
	if err != nil {
		panic(err)
	}
	return said.Err()
}

// expectError expects an error of that type, and gives it.
func expectError[Kind error](t *testing.T, err error) Kind {
	t.Helper()
	var kind Kind
	if !errors.As(err, &kind) {
		t.Fatalf("expected a %T, not %T: %v", kind, err, err)
	}
	return kind
}

// expectBytes expects to read just these to the end.
func expectBytes(t *testing.T, reader io.Reader, expected []byte) {
	t.Helper()
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatalf("after %d bytes: %v", len(data), err)
	}
	if !bytes.Equal(data, expected) {
		t.Fatalf("%d bytes that are not the %d expected ones", len(data), len(expected))
	}
}

func expectEqual[Value comparable](t *testing.T, what string, given, expected Value) {
	t.Helper()
	if given != expected {
		t.Errorf("%s: expected %v, not %v", what, expected, given)
	}
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	recordings "recording-service.internal/clients/go"
)

func TestEachRequestHasAnAnswerWithItsID(t *testing.T) {
	in := strings.NewReader(`{"id": 7, "operation": "get", "options": {"target": "127.0.0.1:1"}, "arguments": {"recording_sid": "x"}}
{"id": "eight", "operation": "get", "options": {"target": "far:1", "token": "t", "tls": false}}
{"id": 9, "operation": "no such"}
{"id": 10, "operation": "read", "options": {"target": "127.0.0.1:1"}, "arguments": {"recording_sid": "x", "offset": -1}}`)
	var out strings.Builder
	if err := serve(in, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, expected := range []string{"7 Unavailable", `"eight" InvalidOption`, "9 Unexpected", "10 InvalidArgument"} {
		var given answer
		if err := json.Unmarshal([]byte(lines[i]), &given); err != nil {
			t.Fatal(err)
		}
		if shown := fmt.Sprintf("%s %s", given.ID, given.Error.Kind); shown != expected {
			t.Errorf("expected %s, not %s", expected, shown)
		}
	}
}

func TestErrorsHaveTheNamesOfTheSpecification(t *testing.T) {
	for expected, err := range map[string]error{
		"RecordingNotReady NOT_FOUND": &recordings.RecordingNotReadyError{
			RecordingsError: recordings.RecordingsError{Code: codes.NotFound},
		},
		"InternalError INTERNAL": &recordings.InternalError{
			RecordingsError: recordings.RecordingsError{Code: codes.Internal},
		},
		"RecordingsError CANCELLED": &recordings.RecordingsError{Code: codes.Canceled},
		"ContractBroken ":           &recordings.ContractBrokenError{},
		"InvalidOption ":            &recordings.InvalidOptionError{Option: "tls"},
		"InvalidArgument ":          fmt.Errorf("a place: %w", fs.ErrInvalid),
		"Unexpected ":               errors.New("a bug"),
	} {
		said := describe(err)
		if shown := said.Kind + " " + said.Code; shown != expected {
			t.Errorf("expected %s, not %s", expected, shown)
		}
	}
}

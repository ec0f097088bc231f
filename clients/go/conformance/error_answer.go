package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"google.golang.org/grpc/codes"

	recordings "recording-service.internal/clients/go"
)

type errorAnswer struct {
	Kind     string            `json:"kind"`
	Code     string            `json:"code"`
	Reason   string            `json:"reason"`
	Metadata map[string]string `json:"metadata"`
	Fields   []string          `json:"fields"`
	Message  string            `json:"message,omitempty"`
}

// withoutSuffix are the types whose names are the same in every language.
var withoutSuffix = map[string]string{"InternalError": "InternalError", "RecordingsError": "RecordingsError"}

// codeNames are gRPC's, where Go's differ in more than case.
var codeNames = [...]string{
	codes.OK: "", codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS",
	codes.PermissionDenied: "PERMISSION_DENIED", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
	codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED", codes.OutOfRange: "OUT_OF_RANGE",
	codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE",
	codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
}

func describe(err error) *errorAnswer {
	said := &errorAnswer{Metadata: map[string]string{}, Fields: []string{}}
	var base *recordings.RecordingsError
	var option *recordings.InvalidOptionError
	switch {
	case errors.As(err, &option):
		said.Kind = "InvalidOption"
	case errors.As(err, &base):
		said.Kind = kindOf(err)
		said.Reason = base.Reason
		if int(base.Code) < len(codeNames) {
			said.Code = codeNames[base.Code]
		}
		if base.Metadata != nil {
			said.Metadata = base.Metadata
		}
		for _, each := range base.FieldViolations {
			said.Fields = append(said.Fields, each.Field)
		}
	case errors.Is(err, fs.ErrInvalid):
		said.Kind = "InvalidArgument"
	default:
		said.Kind, said.Message = "Unexpected", err.Error()
	}
	return said
}

// kindOf gives the name in the table of clients/README.md, of the error's type.
func kindOf(err error) string {
	_, name, _ := strings.Cut(fmt.Sprintf("%T", err), ".")
	if same, ok := withoutSuffix[name]; ok {
		return same
	}
	return strings.TrimSuffix(name, "Error")
}

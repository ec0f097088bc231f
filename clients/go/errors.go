package recordings

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// FieldViolation is one field of a request that is wrong, and how to mend it.
type FieldViolation struct {
	Field       string
	Description string
}

// RecordingsError is what every error about a call has. It is the type of those that have none of their own, and each
// of the others is one for errors.As too:
//
//	var failure *recordings.RecordingsError
//	if errors.As(err, &failure) && failure.Reason == "…" {
type RecordingsError struct {
	// Message is for people; not stable.
	Message string
	// Code is gRPC's status code; OK for what the client itself found out.
	Code codes.Code
	// Reason is the stable reason of the service's ErrorInfo; empty where the service did not say one.
	Reason string
	// Metadata has the ErrorInfo's further fields.
	Metadata map[string]string
	// FieldViolations says which fields of the request are wrong.
	FieldViolations []FieldViolation
	// RetryDelay is how long to wait before asking again, if the service said so.
	RetryDelay time.Duration

	// retryInfo is whether the service said so: a delay of 0 is one.
	retryInfo bool
	cause     error
}

// Error gives the message, with the service's reason, or gRPC's code, after it.
func (e *RecordingsError) Error() string {
	switch {
	case e.Reason != "":
		return fmt.Sprintf("recordings: %s (%s)", e.Message, e.Reason)
	case e.Code != codes.OK:
		return fmt.Sprintf("recordings: %s (%s)", e.Message, e.Code)
	default:
		return "recordings: " + e.Message
	}
}

// Unwrap gives what the error was made of: gRPC's error, or the context's.
func (e *RecordingsError) Unwrap() error { return e.cause }

// As makes each error that embeds this one a *RecordingsError for errors.As.
func (e *RecordingsError) As(target any) bool {
	base, ok := target.(**RecordingsError)
	if ok {
		*base = e
	}
	return ok
}

// GRPCStatus gives the status, with all its details, for status.FromError and status.Code; of what the client itself
// found out the code is Unknown.
func (e *RecordingsError) GRPCStatus() *status.Status {
	var failed interface{ GRPCStatus() *status.Status }
	switch {
	case errors.As(e.cause, &failed):
		return failed.GRPCStatus()
	case e.Code != codes.OK:
		return status.New(e.Code, e.Message)
	default:
		return status.New(codes.Unknown, e.Message)
	}
}

// InvalidOptionError says that a client can't be made with these options.
type InvalidOptionError struct {
	// Option is the option's name, such as "ca_file".
	Option string
	// Message says how to mend it.
	Message string

	cause error
}

// Error names the option and how to mend it.
func (e *InvalidOptionError) Error() string { return "recordings: " + e.Option + ": " + e.Message }

// Unwrap gives the cause, such as a file's error; nil if there is none.
func (e *InvalidOptionError) Unwrap() error { return e.cause }

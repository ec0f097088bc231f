// Package recordings is the client of the recording service, which takes call recordings off Twilio and makes them
// playable for ever after.
//
// A [Client] enqueues recordings, watches them, waits for them, and opens them as a [Reader]: an io.ReadSeekCloser and
// io.ReaderAt that goes on at the exact byte after a break. Requests and answers are the messages of the contract, in
// recording-service.internal/clients/go/recordings/v1.
//
// Whatever goes wrong with a call is an error with a type of its own, such as [*RecordingNotReadyError], for errors.As.
// All of them are a [*RecordingsError] as well, which has the status code, the service's stable reason, and more.
package recordings

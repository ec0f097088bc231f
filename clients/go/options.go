package recordings

import (
	"time"

	"google.golang.org/grpc"
)

// Option is an option of [New]. What is not given is as in defaults.json.
type Option func(*options)

// WithToken sends a bearer token with each call. In the clear it goes to loopback and Unix sockets only.
func WithToken(token string) Option { return func(o *options) { o.token = token } }

// WithTLS sets whether to use TLS. Without it: except to loopback and Unix sockets, unless certificates are given.
func WithTLS(tls bool) Option { return func(o *options) { o.tls = &tls } }

// WithCAFile names a PEM file of the authorities to trust instead of the system's.
func WithCAFile(path string) Option { return func(o *options) { o.caFile = path } }

// WithClientCertificateFile names a PEM file of the client's own certificate (mTLS); it goes with WithClientKeyFile.
func WithClientCertificateFile(path string) Option {
	return func(o *options) { o.clientCertificateFile = path }
}

// WithClientKeyFile names a PEM file of the key of the client's own certificate.
func WithClientKeyFile(path string) Option { return func(o *options) { o.clientKeyFile = path } }

// WithTimeout sets the deadline of a unary call whose context has none (5 seconds).
func WithTimeout(timeout time.Duration) Option { return func(o *options) { o.timeout = timeout } }

// WithStallTimeout sets after how long a stream that brings nothing, while somebody reads, is opened again (30
// seconds).
func WithStallTimeout(timeout time.Duration) Option {
	return func(o *options) { o.stallTimeout = timeout }
}

// WithResumeAttempts sets how often a broken stream is opened again without a message before its error is given (10).
func WithResumeAttempts(attempts int) Option { return func(o *options) { o.resumeAttempts = attempts } }

// WithResumeInitialBackoff sets the longest wait before the first such attempt (100 milliseconds). It doubles with
// each further one; waits are of random length up to it.
func WithResumeInitialBackoff(backoff time.Duration) Option {
	return func(o *options) { o.resumeInitialBackoff = backoff }
}

// WithResumeMaxBackoff sets the longest wait before any such attempt (5 seconds).
func WithResumeMaxBackoff(backoff time.Duration) Option {
	return func(o *options) { o.resumeMaxBackoff = backoff }
}

// WithDialOptions adds options of gRPC's own, such as interceptors and stats handlers. They come after this package's.
func WithDialOptions(further ...grpc.DialOption) Option {
	return func(o *options) { o.dial = append(o.dial, further...) }
}

type options struct {
	token                 string
	tls                   *bool
	caFile                string
	clientCertificateFile string
	clientKeyFile         string
	timeout               time.Duration
	stallTimeout          time.Duration
	resumeAttempts        int
	resumeInitialBackoff  time.Duration
	resumeMaxBackoff      time.Duration
	dial                  []grpc.DialOption
}

func newOptions(given []Option) (*options, error) {
	o := &options{
		timeout:              defaults.TimeoutSeconds.duration(),
		stallTimeout:         defaults.StallTimeoutSeconds.duration(),
		resumeAttempts:       defaults.ResumeAttempts,
		resumeInitialBackoff: defaults.ResumeInitialBackoffSeconds.duration(),
		resumeMaxBackoff:     defaults.ResumeMaxBackoffSeconds.duration(),
	}
	for _, each := range given {
		each(o)
	}
	return o, o.check()
}

// check refuses what can't be, whatever the target.
func (o *options) check() error {
	refuse := func(option, message string) error { return &InvalidOptionError{Option: option, Message: message} }
	for _, character := range []byte(o.token) {
		if character <= ' ' || character >= 0x7F {
			return refuse("token", "must be printable ASCII without blanks; is there a line break at its end?")
		}
	}
	switch {
	case o.timeout <= 0:
		return refuse("timeout", "must be above 0")
	case o.stallTimeout <= 0:
		return refuse("stall_timeout", "must be above 0")
	case o.resumeAttempts < 0:
		return refuse("resume_attempts", "must not be below 0")
	case o.resumeInitialBackoff < 0:
		return refuse("resume_initial_backoff", "must not be below 0")
	case o.resumeMaxBackoff < 0:
		return refuse("resume_max_backoff", "must not be below 0")
	case (o.clientCertificateFile == "") != (o.clientKeyFile == ""):
		return refuse("client_certificate_file", "and client_key_file: give both, or none")
	case o.tls != nil && !*o.tls && o.wantsFiles():
		return refuse("tls", "is off, but ca_file or client_certificate_file is given")
	}
	return nil
}

func (o *options) wantsFiles() bool { return o.caFile != "" || o.clientKeyFile != "" }

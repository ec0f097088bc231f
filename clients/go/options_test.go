package recordings_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	recordings "recording-service.internal/clients/go"
)

func TestAnOptionThatCannotBeIsRefusedWhenTheClientIsMade(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const near, far = "127.0.0.1:50051", "dns:///recordings.example.com:443"
	for _, each := range []struct {
		name, target, option string
		options              []recordings.Option
	}{
		{"no target", "", "target", nil},
		{"a token in the clear", far, "tls", []recordings.Option{recordings.WithToken("t"), recordings.WithTLS(false)}},
		{"a token with a line break", near, "token", []recordings.Option{recordings.WithToken("t\n")}},
		{"a token that is not ASCII", near, "token", []recordings.Option{recordings.WithToken("tö")}},
		{"a key alone", near, "client_certificate_file", []recordings.Option{recordings.WithClientKeyFile(garbage)}},
		{"a certificate alone", near, "client_certificate_file", []recordings.Option{
			recordings.WithClientCertificateFile(garbage),
		}},
		{"a file that isn't there", near, "ca_file", []recordings.Option{recordings.WithCAFile(garbage + ".not")}},
		{"authorities that are none", near, "ca_file", []recordings.Option{recordings.WithCAFile(garbage)}},
		{"a key that is none", near, "client_certificate_file", []recordings.Option{
			recordings.WithClientCertificateFile(garbage), recordings.WithClientKeyFile(garbage),
		}},
		{"authorities without TLS", near, "tls", []recordings.Option{
			recordings.WithTLS(false), recordings.WithCAFile(garbage),
		}},
		{"no time", near, "timeout", []recordings.Option{recordings.WithTimeout(0)}},
		{"no time to stall", near, "stall_timeout", []recordings.Option{recordings.WithStallTimeout(-time.Second)}},
		{"less than no attempts", near, "resume_attempts", []recordings.Option{recordings.WithResumeAttempts(-1)}},
		{"less than no wait", near, "resume_initial_backoff", []recordings.Option{
			recordings.WithResumeInitialBackoff(-time.Second),
		}},
		{"less than no longest wait", near, "resume_max_backoff", []recordings.Option{
			recordings.WithResumeMaxBackoff(-time.Second),
		}},
	} {
		t.Run(each.name, func(t *testing.T) {
			_, err := recordings.New(each.target, each.options...)
			expectEqual(t, "option", expectError[*recordings.InvalidOptionError](t, err).Option, each.option)
		})
	}
}

func TestATokenStaysOnTheMachineUnlessThereIsTLS(t *testing.T) {
	token, off := recordings.WithToken("t"), recordings.WithTLS(false)
	for target, local := range map[string]bool{
		"127.0.0.1:50051": true, "localhost:50051": true, "[::1]:50051": true, "dns:///127.0.0.1:50051": true,
		"dns:localhost": true, "dns://10.0.0.1/localhost:1": true, "unix:/run/recordings.sock": true,
		"unix:///run/recordings.sock": true, "unix-abstract:recordings": true, "passthrough:///[::1]:1": true,
		"127.1.2.3:1": true, "10.0.0.1:50051": false, "recordings.example.com:443": false,
		"dns:///recordings.example.com": false, "localhost.example.com:1": false, "0.0.0.0:1": false,
	} {
		client, err := recordings.New(target, token, off)
		if err == nil {
			err = client.Close()
		}
		if local != (err == nil) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

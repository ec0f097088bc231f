package main

import (
	"time"

	recordings "recording-service.internal/clients/go"
)

// clientOptions are those of every client, by their names. What is missing is left to the client.
type clientOptions struct {
	Target                string   `json:"target"`
	Token                 *string  `json:"token"`
	TLS                   *bool    `json:"tls"`
	CAFile                *string  `json:"ca_file"`
	ClientCertificateFile *string  `json:"client_certificate_file"`
	ClientKeyFile         *string  `json:"client_key_file"`
	Timeout               *seconds `json:"timeout"`
	StallTimeout          *seconds `json:"stall_timeout"`
	ResumeAttempts        *int     `json:"resume_attempts"`
	ResumeInitialBackoff  *seconds `json:"resume_initial_backoff"`
	ResumeMaxBackoff      *seconds `json:"resume_max_backoff"`
}

func (o clientOptions) chosen() []recordings.Option {
	var chosen []recordings.Option
	text := func(given *string, option func(string) recordings.Option) {
		if given != nil {
			chosen = append(chosen, option(*given))
		}
	}
	duration := func(given *seconds, option func(time.Duration) recordings.Option) {
		if given != nil {
			chosen = append(chosen, option(given.duration()))
		}
	}
	text(o.Token, recordings.WithToken)
	if o.TLS != nil {
		chosen = append(chosen, recordings.WithTLS(*o.TLS))
	}
	text(o.CAFile, recordings.WithCAFile)
	text(o.ClientCertificateFile, recordings.WithClientCertificateFile)
	text(o.ClientKeyFile, recordings.WithClientKeyFile)
	duration(o.Timeout, recordings.WithTimeout)
	duration(o.StallTimeout, recordings.WithStallTimeout)
	if o.ResumeAttempts != nil {
		chosen = append(chosen, recordings.WithResumeAttempts(*o.ResumeAttempts))
	}
	duration(o.ResumeInitialBackoff, recordings.WithResumeInitialBackoff)
	duration(o.ResumeMaxBackoff, recordings.WithResumeMaxBackoff)
	return chosen
}

// arguments are those of all operations; each has its own.
type arguments struct {
	RecordingSid  string            `json:"recording_sid"`
	RecordingSids []string          `json:"recording_sids"`
	AccountSid    string            `json:"account_sid"`
	CallSid       string            `json:"call_sid"`
	Job           string            `json:"job"`
	Labels        map[string]string `json:"labels"`
	Reason        string            `json:"reason"`
	PageSize      int32             `json:"page_size"`
	Timeout       *seconds          `json:"timeout"`
	Offset        *int64            `json:"offset"`
	Length        *int64            `json:"length"`
	Etag          string            `json:"etag"`
	Wait          bool              `json:"wait"`
	WaitTimeout   seconds           `json:"wait_timeout"`
	ReadBytes     int64             `json:"read_bytes"`
	Pause         *[2]float64       `json:"pause"`
	Ranges        [][2]int64        `json:"ranges"`
	Seeks         [][2]int64        `json:"seeks"`
	AfterBytes    int64             `json:"after_bytes"`
	TTL           *seconds          `json:"ttl"`
	Attachment    bool              `json:"attachment"`
	AllowMissing  bool              `json:"allow_missing"`
	With          string            `json:"with"`
}

func newArguments() *arguments { return &arguments{ReadBytes: 65536} }

// opening gives the options of Open.
func (a *arguments) opening() []recordings.OpenOption {
	chosen := []recordings.OpenOption{recordings.InAccount(a.AccountSid), recordings.WithEtag(a.Etag)}
	if a.Offset != nil {
		chosen = append(chosen, recordings.WithOffset(*a.Offset))
	}
	if a.Length != nil {
		chosen = append(chosen, recordings.WithLength(*a.Length))
	}
	if a.Wait {
		chosen = append(chosen, recordings.WithWait(a.WaitTimeout.duration()))
	}
	return chosen
}

type seconds float64

func (s seconds) duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

package recordings

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

const (
	// streamWindowBytes is how much of a stream may be on its way to somebody who doesn't read: of the largest messages
	// a few. gRPC's own would grow to 16 MiB.
	streamWindowBytes = 4 << 20
	// connectionWindowBytes is for all streams. It is given back as bytes come, not as they are read.
	connectionWindowBytes = 4 * streamWindowBytes
	// connectTimeout is how long an attempt to connect may take; gRPC's own would be 20 seconds.
	connectTimeout = 3 * time.Second
	// reconnectFactor is by how much the wait between two such attempts grows.
	reconnectFactor = 1.6
	reconnectJitter = 0.2
)

// dial makes the connection, without connecting yet. What can't be is an InvalidOptionError.
func dial(target string, o *options) (*grpc.ClientConn, error) {
	if target == "" {
		return nil, &InvalidOptionError{Option: "target", Message: "is empty; name one, such as 127.0.0.1:50051"}
	}
	transport, err := transportCredentials(target, o)
	if err != nil {
		return nil, err
	}
	reconnect := backoff.Config{
		BaseDelay:  defaults.InitialReconnectBackoffSeconds.duration(),
		MaxDelay:   defaults.MaxReconnectBackoffSeconds.duration(),
		Multiplier: reconnectFactor,
		Jitter:     reconnectJitter,
	}
	connection, err := grpc.NewClient(target, append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(string(defaults.ServiceConfig)),
		// The one above holds, whatever a name server says.
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: connectTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:    defaults.KeepaliveTimeSeconds.duration(),
			Timeout: defaults.KeepaliveTimeoutSeconds.duration(),
		}),
		grpc.WithInitialWindowSize(streamWindowBytes),
		grpc.WithInitialConnWindowSize(connectionWindowBytes),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(defaults.MaxReceiveMessageBytes)),
	}, o.dial...)...)
	if err != nil {
		return nil, &InvalidOptionError{Option: "target", Message: "is none that gRPC knows", cause: err}
	}
	return connection, nil
}

// transportCredentials gives TLS to that target, or none.
func transportCredentials(target string, o *options) (credentials.TransportCredentials, error) {
	near := isLocal(target)
	if wanted := o.wantsFiles() || (o.tls == nil && !near) || (o.tls != nil && *o.tls); !wanted {
		if o.token != "" && !near {
			return nil, &InvalidOptionError{
				Option: "tls", Message: "is off, and the token would go over the network in the clear",
			}
		}
		return insecure.NewCredentials(), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.caFile != "" {
		pem, err := os.ReadFile(o.caFile)
		if err != nil {
			return nil, &InvalidOptionError{Option: "ca_file", Message: "can't be read: " + err.Error(), cause: err}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &InvalidOptionError{Option: "ca_file", Message: "has no certificate in it"}
		}
	}
	if o.clientKeyFile != "" {
		pair, err := tls.LoadX509KeyPair(o.clientCertificateFile, o.clientKeyFile)
		if err != nil {
			return nil, &InvalidOptionError{
				Option: "client_certificate_file", Message: "and client_key_file can't be used: " + err.Error(), cause: err,
			}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}

// authorized adds the token to what goes with a call, unless the caller's context has an authorization of its own.
func (o *options) authorized(ctx context.Context) context.Context {
	if o.token == "" {
		return ctx
	}
	if own, ok := metadata.FromOutgoingContext(ctx); ok && len(own.Get("authorization")) > 0 {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+o.token)
}

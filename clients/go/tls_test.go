package recordings_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// authority makes certificates, in PEM files.
type authority struct {
	folder      string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{folder: t.TempDir()}
	a.certificate, a.key = a.issue(t, "authority", true)
	return a
}

func (a *authority) path(name string) string { return filepath.Join(a.folder, name) }

// issue writes NAME.pem and NAME.key.
func (a *authority) issue(t *testing.T, name string, isAuthority bool) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: isAuthority, BasicConstraintsValid: true,
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	must(err)
	keyDer, err := x509.MarshalECPrivateKey(key)
	must(err)
	must(os.WriteFile(a.path(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(os.WriteFile(a.path(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDer}), 0o600))
	certificate, err := x509.ParseCertificate(der)
	must(err)
	return certificate, key
}

// secured starts a service with TLS that asks for certificates of that authority if told so.
func secured(t *testing.T, a *authority, mutual bool) *service {
	t.Helper()
	a.issue(t, "server", false)
	pair, err := tls.LoadX509KeyPair(a.path("server.pem"), a.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if mutual {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		config.ClientCAs.AddCert(a.certificate)
	}
	s := newService(t, 0, grpc.Creds(credentials.NewTLS(config)))
	s.unary = answering(&recordingsv1.GetRecordingResponse{Recording: s.recording})
	return s
}

func TestWithTLSTheServiceIsWhoTheAuthoritiesSay(t *testing.T) {
	a := newAuthority(t)
	s := secured(t, a, false)
	get := func(options ...recordings.Option) error {
		_, err := newClient(t, s.target, options...).Get(shortly(t), &recordingsv1.GetRecordingRequest{})
		return err
	}
	if err := get(recordings.WithCAFile(a.path("authority.pem")), recordings.WithToken("t")); err != nil {
		t.Error(err)
	}
	expectError[*recordings.UnavailableError](t, get(recordings.WithCAFile(newAuthority(t).path("authority.pem"))))
	// The system's authorities don't know it.
	expectError[*recordings.UnavailableError](t, get(recordings.WithTLS(true)))
}

func TestWithAClientCertificateTheServiceKnowsTheClient(t *testing.T) {
	a := newAuthority(t)
	s := secured(t, a, true)
	a.issue(t, "client", false)
	trust := recordings.WithCAFile(a.path("authority.pem"))
	client := newClient(t, s.target, trust,
		recordings.WithClientCertificateFile(a.path("client.pem")), recordings.WithClientKeyFile(a.path("client.key")))
	if _, err := client.Get(shortly(t), &recordingsv1.GetRecordingRequest{}); err != nil {
		t.Error(err)
	}
	_, err := newClient(t, s.target, trust).Get(shortly(t), &recordingsv1.GetRecordingRequest{})
	expectError[*recordings.UnavailableError](t, err)
}

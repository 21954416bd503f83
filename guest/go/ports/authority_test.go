package ports_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// authority is a certificate authority (RFC 5280).
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue writes a certificate for localhost and 127.0.0.1, and its key, to files in dir.
func (a *authority) issue(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, cert, "CERTIFICATE", der, 0o644)
	writePEM(t, key, "PRIVATE KEY", privateDER, 0o600)
	return cert, key
}

func writePEM(t *testing.T, file, kind string, der []byte, mode os.FileMode) {
	t.Helper()
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(file, block, mode); err != nil {
		t.Fatal(err)
	}
}

// trustingConfig returns the configuration of a guest that trusts the authority: it finds the
// certificate in SSL_CERT_DIR (crypto/x509, SystemCertPool).
func (a *authority) trustingConfig(t *testing.T) wasport.Config {
	t.Helper()
	dir := t.TempDir()
	writePEM(t, filepath.Join(dir, "authority.pem"), "CERTIFICATE", a.cert.Raw, 0o644)
	return wasport.Config{
		Dirs: []wasport.Dir{{Host: dir, ReadOnly: true}},
		Env:  []string{"SSL_CERT_DIR=" + dir, "SSL_CERT_FILE=" + filepath.Join(dir, "none")},
	}
}

// embeddedConfig returns the configuration of a guest that has the certificate's text and no files.
func (a *authority) embeddedConfig() wasport.Config {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	return wasport.Config{Env: []string{"ROOTS=" + string(text)}}
}

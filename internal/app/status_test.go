package app_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

func TestStatusShowsCertificatesAndTheirProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := testkit.NewCertificate(t, "press.example").WriteFiles(t, dir)
	const settings = "site: {url: https://%s, former_urls: ['https://old.example']}\nserver: {cert_file: %s, key_file: %s}\n"
	for host, want := range map[string]string{"press.example": "", "other.example": "it is not for other.example"} {
		s, err := open(t, fmt.Sprintf(settings, host, certFile, keyFile)).Status(t.Context())
		if err != nil || len(s.Certificates) != 1 {
			t.Fatalf("%+v, %v", s, err)
		}
		if c := s.Certificates[0]; c.Host != host || c.Problem != want || c.Until == nil || c.Days != 0 || c.Issuer != "tidings test" {
			t.Errorf("certificate %+v, want the problem %q", c, want)
		}
	}
	service := open(t, fmt.Sprintf(settings, "press.example", certFile, keyFile))
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	if s, err := service.Status(t.Context()); err != nil || !strings.Contains(s.Certificates[0].Problem, "no such file") || s.Certificates[0].Until != nil {
		t.Errorf("without the file: %+v, %v", s, err)
	}
	s, err := open(t, "site: {url: https://press.example.org, former_urls: ['https://old.example.org']}\nserver: {tls: auto, acme: {email: a@example.org}}\n").Status(t.Context())
	if err != nil || len(s.Certificates) != 2 || s.Certificates[1].Host != "old.example.org" || s.Certificates[1].Problem == "" {
		t.Errorf("before the first certificate: %+v, %v", s, err)
	}
	if s, err := open(t, "site: {url: https://press.example}\n").Status(t.Context()); err != nil || len(s.Certificates) != 0 || s.Overdue.Tick != 0 || s.Store != "sqlite" {
		t.Errorf("without TLS: %+v, %v", s, err)
	}
}

func TestReadinessWarnsOfABadCertificate(t *testing.T) {
	t.Parallel()
	e := startTLSFor(t, "other.example", "")
	client := clientOf(t, e.certificate, e.address, "h2")
	testkit.Eventually(t, "the warning", func() bool {
		answer, err := client.Get("https://press.example/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		return err == nil && strings.Contains(string(body), "a certificate needs attention") && !strings.Contains(string(body), "other.example")
	})
}

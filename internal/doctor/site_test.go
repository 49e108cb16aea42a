package doctor

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/token"
)

// siteZone leads the names of the site and of the MTA-STS policy to this machine.
const siteZone = "www.example.test. A 127.0.0.1\nmta-sts.example.test. A 127.0.0.1\n_mta-sts.example.test. TXT \"v=STSv1; id=1\"\nexample.test. MX 10 mx.example.test."

// withSite returns options for the site https://www.example.test, which a TLS server on this machine
// answers with a certificate.
func withSite(t *testing.T, certificate testkit.Certificate, handler http.Handler) *Options {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS, server.Config.ErrorLog = certificate.Server, log.New(io.Discard, "", 0) // clients that refuse the certificate
	server.StartTLS()
	t.Cleanup(server.Close)
	o, _ := withZone(t, siteZone)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	o.Client = HTTPOptions{Intranet: true, roots: certificate.Roots, port: port}
	keys := token.NewKeys([]byte(strings.Repeat("s", 32)))
	o.Tokens = &keys
	return o
}

// healthy answers as the service does: the health page, and one-click unsubscribe with a valid token.
func healthy(o **Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /unsubscribe/{token}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		claim, invalid := (*o).Tokens.Verify(r.PathValue("token"))
		if err != nil || invalid != nil || claim.Purpose != token.Unsubscribe || string(body) != "List-Unsubscribe=One-Click" || len(r.Cookies()) > 0 {
			http.Error(w, "no", http.StatusBadRequest)
		}
	})
	return mux
}

func nextYear() time.Time { return time.Now().AddDate(1, 0, 0) }

func TestSiteWithTLSIsInOrder(t *testing.T) {
	t.Parallel()
	var o *Options
	o = withSite(t, testkit.NewCertificateUntil(t, nextYear(), "www.example.test"), healthy(&o))
	want(t, o, "site", OK, "https://www.example.test answers")
	want(t, o, "site", Warning, "127.0.0.1, which is not public")
	want(t, o, "one-click", OK, "one-click unsubscribe works")
	want(t, o, "certificate", OK, "is valid until "+nextYear().UTC().Format("2006"))
	o.Config.Site.URL = "http://www.example.test"
	want(t, o, "one-click", Error, "not an https address")
	want(t, o, "certificate", Notice, "no HTTPS")
}

func TestBadCertificatesAreFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		certificate testkit.Certificate
		severity    Severity // of the check certificate
		text        string
	}{
		"ends soon":  {testkit.NewCertificate(t, "www.example.test"), Warning, "ends on"},
		"expired":    {testkit.NewCertificateUntil(t, time.Now().Add(-time.Hour), "www.example.test"), Error, "expired"},
		"wrong name": {testkit.NewCertificateUntil(t, nextYear(), "other.example.test"), Error, "other.example.test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o *Options
			o = withSite(t, c.certificate, healthy(&o))
			want(t, o, "certificate", c.severity, c.text)
			if c.severity == Error {
				want(t, o, "site", Error, "cannot be reached")
				want(t, o, "one-click", Error, "cannot be reached")
			} else {
				want(t, o, "one-click", OK, "works")
			}
		})
	}
	var o *Options
	o = withSite(t, testkit.NewCertificateUntil(t, nextYear(), "www.example.test"), healthy(&o))
	o.Client.roots = testkit.NewCertificate(t).Roots
	want(t, o, "certificate", Error, "unknown authority")
}

func TestSiteThatAnswersOtherwiseIsAnError(t *testing.T) {
	t.Parallel()
	certificate := testkit.NewCertificateUntil(t, nextYear(), "www.example.test")
	for status, text := range map[int]string{http.StatusPermanentRedirect: "redirects (308)", http.StatusForbidden: "answers 403", http.StatusBadGateway: "answers 502"} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			o := withSite(t, certificate, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if status < 400 {
					w.Header().Set("Location", "https://www.example.test/elsewhere")
				}
				w.WriteHeader(status)
			}))
			want(t, o, "site", Error, text)
			want(t, o, "one-click", Error, text)
			want(t, o, "certificate", OK, "is valid until")
		})
	}
	o, _ := withZone(t, "")
	want(t, o, "site", Error, "has no address in DNS")
	want(t, o, "certificate", Error, "no HTTPS connection")
}

func TestTokenIsNotInTheFinding(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(closed.Addr().String())
	_ = closed.Close()
	o, _ := withZone(t, siteZone)
	keys := token.NewKeys([]byte(strings.Repeat("s", 32)))
	o.Client, o.Tokens = HTTPOptions{port: port}, &keys
	want(t, o, "one-click", Error, "cannot be reached")
	for _, f := range only(t, o, "one-click") {
		if strings.Contains(f.What, "/unsubscribe/") {
			t.Errorf("the finding names the address with the token: %s", f.What)
		}
	}
}

func TestMTASTSPolicyIsRequested(t *testing.T) {
	t.Parallel()
	certificate := testkit.NewCertificateUntil(t, nextYear(), "mta-sts.example.test")
	policy := func(text string) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET mta-sts.example.test/.well-known/mta-sts.txt", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
		return mux
	}
	const valid = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 86400\r\n"
	o := withSite(t, certificate, policy(valid))
	want(t, o, "mta-sts", OK, "(enforce) that covers its mail servers")
	o.Client.Intranet = false
	want(t, o, "mta-sts", Warning, "cannot be used")
	o = withSite(t, certificate, http.NotFoundHandler())
	want(t, o, "mta-sts", Warning, "answers 404")
	o = withSite(t, testkit.NewCertificateUntil(t, nextYear(), "www.example.test"), policy(valid))
	want(t, o, "mta-sts", Warning, "certificate")
}

// TestMTASTSPolicyCoversTheMailServers reads policies of RFC 8461, section 3.2, for a domain with the mail
// server mx.example.test.
func TestMTASTSPolicyCoversTheMailServers(t *testing.T) {
	t.Parallel()
	certificate := testkit.NewCertificateUntil(t, nextYear(), "mta-sts.example.test")
	for name, c := range map[string]struct {
		policy   string
		severity Severity
		text     string
	}{
		"fields in any order":            {"max_age: 604800\nmx: other.test\nmx: MX.example.test\nmode: testing\nversion: STSv1", OK, "(testing) that covers"},
		"wildcard":                       {"version: STSv1\nmode: enforce\nmx: *.example.test\nmax_age: 1", OK, "(enforce) that covers"},
		"wildcard for one label only":    {"version: STSv1\nmode: enforce\nmx: *.test\nmax_age: 1", Error, "does not name its mail server mx.example.test"},
		"another server, tested":         {"version: STSv1\nmode: testing\nmx: mx.other.test\nmax_age: 1", Warning, "does not name its mail server mx.example.test"},
		"turned off":                     {"version: STSv1\nmode: none\nmax_age: 1", OK, "turned off"},
		"no version":                     {"mode: enforce\nmx: mx.example.test\nmax_age: 1", Warning, "has no line \"version: STSv1\""},
		"version within another line":    {"note: version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 1", Warning, "has no line"},
		"unknown mode":                   {"version: STSv1\nmode: on\nmx: mx.example.test\nmax_age: 1", Warning, "its mode is not"},
		"no max_age":                     {"version: STSv1\nmode: enforce\nmx: mx.example.test", Warning, "its max_age is not"},
		"max_age of more than a year":    {"version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 99999999", Warning, "its max_age is not"},
		"no mail server while enforcing": {"version: STSv1\nmode: enforce\nmax_age: 1", Warning, "names no mail server"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := withSite(t, certificate, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.policy) }))
			want(t, o, "mta-sts", c.severity, c.text)
		})
	}
}

package middleware_test

import (
	"net/http/httptest"
	"testing"

	"github.com/tidings-press/tidings/internal/web/middleware"
)

// TestHostsInUnicodeAreRedirected: the configuration may have them in Unicode, requests name them in ASCII
// (RFC 5891), and so does the address that they are redirected to.
func TestHostsInUnicodeAreRedirected(t *testing.T) {
	t.Parallel()
	h, err := middleware.RedirectToHTTPS("https://Bücher.example:8443/größe", []string{"https://früher.example/blog", "http://bücher.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ host, target, want string }{
		{"xn--frher-lva.example", "/blog/one?x=%20", "https://xn--bcher-kva.example:8443/gr%C3%B6%C3%9Fe/one?x=%20"},
		{"XN--FRHER-LVA.example:80", "/blog", "https://xn--bcher-kva.example:8443/gr%C3%B6%C3%9Fe/"},
		{"xn--frher-lva.example", "/blogroll", "https://xn--bcher-kva.example:8443/gr%C3%B6%C3%9Fe/blogroll"},
		{"xn--bcher-kva.example", "/x", "https://xn--bcher-kva.example:8443/x"},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 301 || w.Header().Get("Location") != c.want {
			t.Errorf("%s%s: %d to %s, want %s", c.host, c.target, w.Code, w.Header().Get("Location"), c.want)
		}
	}
}

func TestAddressesOfTheSiteThatCannotBeReadAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site   string
		former []string
	}{{"https://a b.example\x7f", nil}, {"https://a.example", []string{"https://%zz"}}} {
		if _, err := middleware.RedirectToHTTPS(c.site, c.former); err == nil {
			t.Errorf("%q, formerly %q, is accepted", c.site, c.former)
		}
	}
}

package update

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const atom = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Releases</title><id>urn:releases</id><updated>2026-03-01T00:00:00Z</updated>
<entry><title>Tidings v1.9.0</title><id>urn:1</id><updated>2026-01-01T00:00:00Z</updated><link href="https://example.org/v1.9.0"/><summary type="html">&lt;p&gt;Faster&lt;/p&gt;</summary></entry>
<entry><title>v1.10.0: fixes</title><id>urn:2</id><updated>2026-02-01T00:00:00Z</updated><link href="javascript:alert(1)"/></entry>
<entry><title>v2.0.0-rc.1</title><id>urn:3</id><updated>2026-02-01T00:00:00Z</updated></entry>
<entry><title>Our plans for 2026</title><id>urn:4</id><updated>2026-02-01T00:00:00Z</updated></entry>
<entry><title>1.8.0</title><id>urn:5</id><updated>2025-02-01T00:00:00Z</updated></entry>
</feed>`

const rss = `<?xml version="1.0"?><rss version="2.0"><channel><title>Releases</title><link>https://example.org/</link><description>d</description>
<item><title>Tidings 1.9.0</title><link>https://example.org/1.9.0</link></item></channel></rss>`

const jsonFeed = `{"version": "https://jsonfeed.org/version/1.1", "title": "Releases", "items": [{"id": "1", "title": "v1.9.0 \u001b[31m", "url": "https://example.org/1.9.0", "content_text": "Faster"}]}`

// serve answers every request with a body and returns the address.
func serve(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "tidings/test" || r.Header.Get("Cookie") != "" {
			t.Errorf("headers %v", r.Header)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/releases"
}

func TestNewerReleasesAreListed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, feed, current string
		prereleases         bool
		want                string
	}{
		{"Atom", atom, "v1.8.0", false, "v1.10.0 v1.9.0"},
		{"without v", atom, "1.9.0", false, "v1.10.0"},
		{"same", atom, "v1.10.0", false, ""},
		{"newer than all", atom, "v3.0.0", true, ""},
		{"pre-releases", atom, "v1.9.5", true, "v2.0.0-rc.1 v1.10.0"},
		{"a build between releases", atom, "v1.9.1-0.20260101000000-0123456789ab+dirty", false, "v1.10.0"},
		{"RSS", rss, "v1.8.0", false, "v1.9.0"},
		{"JSON Feed", jsonFeed, "v1.8.0", false, "v1.9.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found, err := Check(t.Context(), serve(t, 200, c.feed), c.current, "tidings/test", c.prereleases)
			if err != nil {
				t.Fatal(err)
			}
			var versions []string
			for _, r := range found {
				versions = append(versions, r.Version)
				if strings.ContainsRune(r.Title, 0x1b) || strings.HasPrefix(r.URL, "javascript") {
					t.Errorf("not safe to print: %+v", r)
				}
			}
			if got := strings.Join(versions, " "); got != c.want {
				t.Errorf("newer than %s: %q, want %q", c.current, got, c.want)
			}
		})
	}
}

func TestBuildWithoutVersionListsAllReleases(t *testing.T) {
	t.Parallel()
	found, err := Check(t.Context(), serve(t, 200, atom), "0123456789ab", "tidings/test", false)
	if !errors.Is(err, ErrNoVersion) || len(found) != 3 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestUnreadableReleaseFeedIsAnError(t *testing.T) {
	t.Parallel()
	redirecting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }))
	t.Cleanup(redirecting.Close)
	for address, want := range map[string]string{
		serve(t, 404, "no"): "404 Not Found",
		serve(t, 200, "<html><body>Hello</body></html>"):       "not a feed",
		serve(t, 200, strings.Replace(rss, "1.9.0", "new", 1)): "no entry has a version",
		serve(t, 200, strings.Repeat(" ", maxBytes+1)):         "larger than 4 MB",
		redirecting.URL:           "redirects",
		"ftp://example.org/feed":  "not the address of a feed",
		"releases.atom":           "not the address of a feed",
		"http://127.0.0.1:1/feed": "127.0.0.1:1",
	} {
		if found, err := Check(t.Context(), address, "v1.0.0", "tidings/test", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %q", address, found, err, want)
		}
	}
}

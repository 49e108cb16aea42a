package update

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// entries is an Atom feed with an entry for each title.
func entries(titles ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>R</title><id>urn:r</id><updated>2026-03-01T00:00:00Z</updated>`)
	for i, title := range titles {
		fmt.Fprintf(&b, `<entry><title>%s</title><id>urn:%d</id><updated>2026-01-%02dT00:00:00+02:00</updated><link href="https://example.org/%d"/></entry>`, title, i, i%28+1, i)
	}
	return b.String() + "</feed>"
}

func TestVersionIsTheFirstWordThatIsOne(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ title, want string }{
		{"v1.4.0", "v1.4.0"},
		{"Tidings 1.4.0", "v1.4.0"},
		{"Release (1.4.0)", "v1.4.0"},
		{"1.4.0: faster", "v1.4.0"},
		{"Tidings 1.4.0.", "v1.4.0"},
		{"Tidings 1.4.0, a fix of 1.3.9", "v1.4.0"},
		{"Tidings 1.4.0+build.7", "v1.4.0"},
		{"Tidings 1.4.0-rc.1", "v1.4.0-rc.1"},
		{"Since 2026 Tidings 1.4.0", "v1.4.0"},
		{"Tidings 1.4", ""},
		{"Tidings 1", ""},
		{"Tidings 1.04.0", ""},
		{"Tidings 1.4.0.1", ""},
		{"Tidings V1.4.0", ""},
		{"Tidings vv1.4.0", ""},
		{"Tidings -1.4.0", ""},
		{"Tidings 1.4.x", ""},
		{"Tidings ١.٤.٠", ""},
		{"99999999999999999999.0.0", "v99999999999999999999.0.0"},
		{"...", ""},
		{"", ""},
	} {
		t.Run(test.title, func(t *testing.T) {
			t.Parallel()
			found, err := Check(t.Context(), serve(t, 200, entries(test.title, "v1.0.1")), "v1.0.0", "tidings/test", true)
			if err != nil {
				t.Fatal(err)
			}
			var versions []string
			for _, r := range found {
				if r.Version != "v1.0.1" {
					versions = append(versions, r.Version)
				}
			}
			if got := strings.Join(versions, " "); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestReleasesAreSortedAndEachIsListedOnce(t *testing.T) {
	t.Parallel()
	feed := entries("v1.9.0", "v1.10.0", "1.9.0", "v1.10.0-rc.2", "v1.10.0-rc.10", "v1.10.0+again", "v2.0.0", "v1.9.0")
	found, err := Check(t.Context(), serve(t, 200, feed), "v1.8.0", "tidings/test", true)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range found {
		got = append(got, r.Version+" "+r.URL[len("https://example.org/"):])
	}
	if want := "v2.0.0 6, v1.10.0 1, v1.10.0-rc.10 4, v1.10.0-rc.2 3, v1.9.0 0"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

// TestEntryOfAHostileFeedIsSafeToPrint: the feed's server may be taken over.
func TestEntryOfAHostileFeedIsSafeToPrint(t *testing.T) {
	t.Parallel()
	feed := fmt.Sprintf(`{"version": "https://jsonfeed.org/version/1.1", "title": "R", "items": [
		{"id": "1", "title": "v1.9.0 \u001b]8;;https://evil.example\u0007click\u202egnp.exe", "url": "https://example.org/\u001b[2J", "content_text": "%s"},
		{"id": "2", "title": "v1.9.1 %s", "url": "data:text/html,x", "content_text": "\u0000\u0008\u009b31m"},
		{"id": "3", "title": "v1.9.2\nv1.9.9", "url": "https:///nohost", "content_text": "x"},
		{"id": "4", "title": "v1.9.3", "url": "https://:443/nohost", "content_text": "x"},
		{"id": "5", "title": "v1.9.4", "url": "//example.org/x", "content_text": "x"}]}`,
		strings.Repeat("A sentence. ", 200), strings.Repeat("Ü", 1000))
	found, err := Check(t.Context(), serve(t, 200, feed), "v1.8.0", "tidings/test", false)
	if err != nil || len(found) != 5 {
		t.Fatalf("%d releases, %v", len(found), err)
	}
	for _, r := range found {
		if r.URL != "" {
			t.Errorf("%s has the address %q", r.Version, r.URL)
		}
		for _, text := range []string{r.Title, r.Summary} {
			for _, c := range text {
				if c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x202e {
					t.Errorf("%s: %q has the character %U", r.Version, text, c)
				}
			}
			if n := utf8.RuneCountInString(text); n > maxSummary || text == r.Title && n > maxTitle {
				t.Errorf("%s has a text of %d letters", r.Version, n)
			}
		}
	}
}

func TestTimeOfAReleaseIsThatOfItsEntry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ dates, want string }{
		"published and updated": {"<published>2026-01-02T03:04:05+02:00</published><updated>2026-02-02T00:00:00Z</updated>", "2026-01-02T01:04:05Z"},
		"updated only":          {"<updated>2026-02-02T00:00:00Z</updated>", "2026-02-02T00:00:00Z"},
		"none":                  {"", "0001-01-01T00:00:00Z"},
		"unreadable":            {"<updated>yesterday</updated>", "0001-01-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feed := `<feed xmlns="http://www.w3.org/2005/Atom"><title>R</title><entry><title>v1.9.0</title><id>urn:1</id>` + test.dates + `</entry></feed>`
			found, err := Check(t.Context(), serve(t, 200, feed), "v1.0.0", "tidings/test", false)
			if err != nil || len(found) != 1 {
				t.Fatalf("%v, %v", found, err)
			}
			if got := found[0].Published.Format(time.RFC3339); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestAddressOfAFeedNeedsAHost(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"https://example.org/releases.atom": true, "http://localhost:8080/": true, "https://[::1]/x": true, "HTTPS://EXAMPLE.ORG/": true,
		"": false, "https://": false, "https:///releases": false, "https://:443/releases": false, "https:example.org": false, "//example.org/x": false,
		"example.org/x": false, "file:///etc/passwd": false, "javascript://example.org/": false, "https://example.org/%zz": false, "https://exa mple.org/": false, " https://example.org": false,
	} {
		err := CheckURL(address)
		if (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && (!strings.Contains(err.Error(), fmt.Sprintf("%q", address)) || !strings.Contains(err.Error(), "use https://HOST/PATH")) {
			t.Errorf("the message does not name the address and the fix: %v", err)
		}
	}
}

func TestFeedMayMoveFiveTimes(t *testing.T) {
	t.Parallel()
	for moves, want := range map[int]string{0: "", 1: "", 5: "", 6: "more than 5 redirects"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var left int
			fmt.Sscanf(r.URL.Path, "/%d", &left)
			if left > 0 {
				http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusMovedPermanently)
				return
			}
			fmt.Fprint(w, entries("v1.9.0"))
		}))
		t.Cleanup(server.Close)
		_, err := Check(t.Context(), fmt.Sprintf("%s/%d", server.URL, moves), "v1.0.0", "tidings/test", false)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d redirects: %v, want %q", moves, err, want)
		}
	}
}

func TestLargestFeedIsRead(t *testing.T) {
	t.Parallel()
	feed := entries("v1.9.0")
	feed += strings.Repeat(" ", maxBytes-len(feed))
	if found, err := Check(t.Context(), serve(t, 200, feed), "v1.0.0", "tidings/test", false); err != nil || len(found) != 1 {
		t.Errorf("a feed of %d bytes: %v, %v", len(feed), found, err)
	}
}

func TestFeedThatEndsEarlyIsAnError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		fmt.Fprint(w, entries("v1.9.0"))
	}))
	t.Cleanup(server.Close)
	if found, err := Check(t.Context(), server.URL, "v1.0.0", "tidings/test", false); err == nil || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("half of a feed: %v, %v", found, err)
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	if found, err := Check(ctx, server.URL, "v1.0.0", "tidings/test", false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", found, err)
	}
}

func TestStatusOtherThan200IsAnError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{201, 204, 206, 304, 401, 410, 429, 500, 503} {
		address := serve(t, status, "")
		_, err := Check(t.Context(), address, "v1.0.0", "tidings/test", false)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(address, ": the server answers ", status)) {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

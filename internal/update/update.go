// Package update finds newer releases of the program in a release feed. Check asks once, when it is
// called; nothing in this package runs by itself.
package update

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"golang.org/x/mod/semver"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/plaintext"
)

// The limits of a request and of what is shown of its answer.
const (
	timeout    = 30 * time.Second
	maxBytes   = 4 << 20
	maxTitle   = 200 // letters
	maxSummary = 500 // letters
	redirects  = 5
)

// Release is a release that a feed lists.
type Release struct {
	Version   string    `json:"version"` // with a leading v, such as v1.4.0
	Title     string    `json:"title"`
	URL       string    `json:"url,omitempty"`
	Published time.Time `json:"published,omitzero"`
	Summary   string    `json:"summary,omitempty"`
}

// ErrNoVersion reports that a build has no version number to compare.
var ErrNoVersion = errors.New("this build has no version number; build from a release, or compare by hand")

// CheckURL returns an error unless a text is the address of a release feed.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q is not the address of a feed; use https://HOST/PATH", address)
	}
	return nil
}

// Check reads the release feed at an address, which is RSS, Atom or JSON Feed, and returns the
// releases that are newer than a version, the newest first. The version of an entry is the first word
// of its title that is one. Pre-releases are left out unless prereleases is set. With
// ErrNoVersion it returns all releases.
func Check(ctx context.Context, address, current, agent string, prereleases bool) ([]Release, error) {
	data, err := fetch(ctx, address, agent)
	if err != nil {
		return nil, err
	}
	feed, err := gofeed.NewParser().ParseString(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: not a feed in RSS, Atom or JSON Feed: %w", address, err)
	}
	current = canonical(current)
	var found []Release
	known := false
	for _, item := range feed.Items {
		r := release(item)
		known = known || r.Version != ""
		if r.Version != "" && (prereleases || semver.Prerelease(r.Version) == "") && semver.Compare(r.Version, current) > 0 {
			found = append(found, r)
		}
	}
	if !known {
		return nil, fmt.Errorf("%s: no entry has a version such as v1.4.0 in its title", address)
	}
	slices.SortStableFunc(found, func(a, b Release) int { return semver.Compare(b.Version, a.Version) })
	found = slices.CompactFunc(found, func(a, b Release) bool { return semver.Compare(a.Version, b.Version) == 0 })
	if current == "" {
		return found, ErrNoVersion
	}
	return found, nil
}

// release returns an entry of a feed as a release. Its version is empty if its title has none.
func release(item *gofeed.Item) Release {
	r := Release{Title: shorten(item.Title, maxTitle), Summary: shorten(article.PlainText(item.Description), maxSummary)}
	for _, word := range strings.Fields(item.Title) {
		if r.Version = canonical(strings.Trim(word, ".,:;()")); r.Version != "" {
			break
		}
	}
	if CheckURL(item.Link) == nil {
		r.URL = item.Link
	}
	if item.PublishedParsed != nil {
		r.Published = item.PublishedParsed.UTC()
	} else if item.UpdatedParsed != nil {
		r.Published = item.UpdatedParsed.UTC()
	}
	return r
}

// shorten returns a text as one line that is safe to print on a terminal.
func shorten(text string, letters int) string {
	return plaintext.Shorten(strings.Map(withoutDirections, article.CleanLine(text)), letters)
}

// withoutDirections drops the characters that change the direction of what follows (UAX 9, section 2):
// on a terminal they could show a name other than the one that is there.
func withoutDirections(r rune) rune {
	if r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
		return -1
	}
	return r
}

// canonical returns a full semantic version with a leading v and without build metadata, such as
// v1.4.0; empty if the text is none.
func canonical(text string) string {
	if strings.Count(text, ".") < 2 {
		return "" // a year or a number
	}
	return semver.Canonical("v" + strings.TrimPrefix(text, "v"))
}

func fetch(ctx context.Context, address, agent string) ([]byte, error) {
	if err := CheckURL(address); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", agent)
	client := &http.Client{Timeout: timeout, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if len(via) > redirects {
			return fmt.Errorf("more than %d redirects", redirects)
		}
		if via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
			return errors.New("redirect from https to http")
		}
		return nil
	}}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the server answers %s", address, answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%s: the feed is larger than %d MB", address, maxBytes>>20)
	}
	return data, nil
}

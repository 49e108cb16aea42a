package public_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

// choices is what a person decided, as a reader of the pages would expect it.
type choices struct {
	state subscriber.State
	on    map[string]bool
}

func (c *choices) leave(names ...string) {
	for _, name := range names {
		delete(c.on, name)
	}
	if len(c.on) == 0 {
		c.state = subscriber.Unsubscribed
	}
}

func (c *choices) save(names []string) {
	c.on = map[string]bool{}
	for _, name := range names {
		c.on[name] = true
	}
	switch {
	case len(names) == 0:
		c.state = subscriber.Unsubscribed
	case c.state == subscriber.Unsubscribed:
		c.state = subscriber.Active
	}
}

func (c *choices) confirm(name string) {
	c.on[name], c.state = true, subscriber.Active
}

// TestLinksAndButtonsInAnyOrderDoWhatTheySay: people open old mails, go back in their browsers and click twice.
// After each click they are on what they chose last, and nothing but their own click brings them back.
func TestLinksAndButtonsInAnyOrderDoWhatTheySay(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	want := choices{subscriber.Active, map[string]bool{"weekly": true, "daily": true}}
	preferences := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
	unsubscribe := func(digests string) string {
		return "/unsubscribe/" + b.keys.Sign(token.Unsubscribe, sub.UID, digests, "")
	}
	random := rand.New(rand.NewPCG(8, 58))
	subsets := [][]string{nil, {"weekly"}, {"daily"}, {"weekly", "daily"}}
	for step := range 120 {
		var did string
		status := http.StatusOK
		switch kind := random.IntN(9); kind {
		case 0, 1:
			names := subsets[random.IntN(len(subsets))]
			did = fmt.Sprintf("unsubscribe from %q", names)
			if len(names) == 0 {
				want.leave("weekly", "daily")
			} else {
				want.leave(names...)
			}
			b.want(b.post(unsubscribe(strings.Join(names, ",")), form("List-Unsubscribe", "One-Click")), http.StatusOK)
		case 2:
			did = "unsubscribe from a digest that was removed"
			b.want(b.post(unsubscribe("monthly"), nil), http.StatusOK)
			want.leave()
		case 3:
			did = "leave"
			want.leave("weekly", "daily")
			b.want(b.post(preferences, form("do", "leave")), http.StatusOK, "not subscribed to any digest")
		case 4:
			if did = "pause"; want.state == subscriber.Unsubscribed {
				status = http.StatusConflict
			} else {
				want.state = subscriber.Paused
			}
			b.want(b.post(preferences, form("do", "pause")), status)
		case 5:
			if did = "resume"; want.state == subscriber.Paused {
				want.state = subscriber.Active
			}
			b.want(b.post(preferences, form("do", "resume")), http.StatusOK)
		case 6, 7:
			names := subsets[random.IntN(len(subsets))]
			did = fmt.Sprintf("save %q", names)
			sent := form("do", "save")
			sent["digest"] = names
			want.save(names)
			b.want(b.post(preferences, sent), http.StatusOK, "Saved")
		case 8:
			name := []string{"weekly", "daily"}[random.IntN(2)]
			did = "confirm " + name
			want.confirm(name)
			b.want(b.post("/confirm/"+b.keys.SignConfirm(sub.UID, name, b.store.Now()), nil), http.StatusOK)
		}
		on, state := b.subscribed(sub.ID)
		if expected := strings.Join(slices.Sorted(maps.Keys(want.on)), " "); on != expected || state != want.state {
			t.Fatalf("step %d, %s: %s on %q, want %s on %q", step, did, state, on, want.state, expected)
		}
	}
}

// TestEveryLinkWorksOnItsOwnPageOnly tries each kind of link on the page of every other, as GET and as POST.
func TestEveryLinkWorksOnItsOwnPageOnly(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	brief, err := b.store.ShortLivedKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	soon := b.store.Now().Add(token.OwnDataFor)
	links := map[string]string{
		"/unsubscribe/": b.keys.Sign(token.Unsubscribe, sub.UID, "weekly", ""),
		"/preferences/": b.keys.Sign(token.Preferences, sub.UID, "", ""),
		"/confirm/":     b.keys.SignConfirm(sub.UID, "weekly", b.store.Now()),
		"/export/":      brief.SignUntil(token.Export, sub.UID, "", soon),
		"/erase/":       brief.SignUntil(token.Erase, sub.UID, "", soon),
		// Signed with the keys of mails, as a former version of the program or a stolen backup may have them.
		"a lasting link to erasure": b.keys.SignUntil(token.Erase, sub.UID, "", soon),
		"a lasting link to export":  b.keys.SignUntil(token.Export, sub.UID, "", soon),
		"of an edition":             b.keys.Sign(token.WebEdition, sub.UID, "", "weekly-1"),
		"a short unsubscription":    brief.Sign(token.Unsubscribe, sub.UID, "weekly", ""),
	}
	for _, page := range []string{"/unsubscribe/", "/preferences/", "/confirm/", "/export/", "/erase/"} {
		for of, link := range links {
			if of == page {
				b.want(b.get(page+link), http.StatusOK)
				continue
			}
			for _, w := range []*httptest.ResponseRecorder{b.get(page + link), b.post(page+link, form("do", "leave"))} {
				if w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "a…@") || strings.Contains(w.Body.String(), "a@") {
					t.Errorf("%s with the link %s: %d", page, of, w.Code)
				}
			}
		}
	}
	if on, state := b.subscribed(sub.ID); on != "daily weekly" || state != subscriber.Active {
		t.Errorf("a link on another page left them %s on %q", state, on)
	}
}

// TestOtherMethodsChangeNothing: programs that look for open servers try all methods.
func TestOtherMethodsChangeNothing(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	brief, err := b.store.ShortLivedKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	soon := b.store.Now().Add(token.OwnDataFor)
	for _, path := range []string{
		"/unsubscribe/" + b.keys.Sign(token.Unsubscribe, sub.UID, "weekly", ""), "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", ""),
		"/confirm/" + b.keys.SignConfirm(sub.UID, "weekly", b.store.Now()), "/erase/" + brief.SignUntil(token.Erase, sub.UID, "", soon), "/export/" + brief.SignUntil(token.Export, sub.UID, "", soon),
		"/subscribe", "/", "/robots.txt", "/search?q=x",
	} {
		for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "Get", "X"} {
			r := httptest.NewRequest(method, path, strings.NewReader("do=leave&email=b@example.org&digest=weekly"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Http-Method-Override", "POST")
			want := "GET, HEAD, POST"
			if path == "/" || path == "/robots.txt" || path == "/search?q=x" {
				want = "GET, HEAD"
			}
			if w := b.do(r); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != want {
				t.Errorf("%s %.14s: %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
		if w := b.do(httptest.NewRequest(http.MethodHead, path, nil)); w.Code != http.StatusOK {
			t.Errorf("HEAD %.14s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/search", "/articles/x", "/tags/x", "/media/x", "/digests/weekly/", "/editions/x", "/never"} {
		if w := b.post(path, nil); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", path, w.Code, w.Header().Get("Allow"))
		}
	}
	if w := b.do(httptest.NewRequest(http.MethodPut, "/editions/x/feedback/yes", nil)); w.Header().Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("PUT of an answer: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	if err := b.pages.HandleRequests(t.Context()); err != nil {
		t.Fatal(err)
	}
	if on, state := b.subscribed(sub.ID); on != "daily weekly" || state != subscriber.Active || len(b.sent()) != 0 {
		t.Errorf("they are %s on %q, and %d mails were sent", state, on, len(b.sent()))
	}
}

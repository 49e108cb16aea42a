package admin_test

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestEditionFromProofToArchive drafts an edition before its tick, composes it, approves it by the
// link of its proof, sends it at the tick, and finds it in the archive.
func TestEditionFromProofToArchive(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := startSite(t, on(engine))
			s.addSubscribers(2)
			owner := s.owner()
			draft := s.startDrafting("manual")
			path := s.proofPath(adaEmail)
			here := "/admin/editions/" + draft.ID + "/compose"
			if len(draft.Articles) < 3 {
				t.Fatalf("the draft has the articles %v", draft.Articles)
			}
			out, lead := draft.Articles[0], draft.Articles[2]
			for _, form := range [][]string{{"lead", lead}, {"exclude", out}, {"texts", "", "subject", "Our own words", "intro", "Good *morning*."}} {
				owner.get(here)
				owner.want(owner.post(here, append([]string{"revision", owner.hidden("revision"), "do", form[0], "article", form[1]}, form[2:]...)...), "The draft was changed.")
			}
			person := s.visitor()
			person.want(person.get(path), "Our own words", "to 2 subscribers")
			person.want(person.post(path+"/approve", "shown", person.hidden("shown")), "Approved. It is sent at its time.")
			approved := s.stored(draft.ID)
			if approved.State != digest.Approved || slices.Contains(approved.Articles, out) {
				t.Fatalf("it is %s with %v", approved.State, approved.Articles)
			}
			if person.get(approved.PagePath()); person.code != http.StatusNotFound {
				t.Errorf("before its tick the page answers %d", person.code)
			}
			if n := s.readersMailed(); n != 0 {
				t.Errorf("%d subscribers got it before its tick", n)
			}

			c := s.Config
			s.stop()
			started := time.Now()
			s.clock = func() time.Time { return draft.SendAt.Add(time.Since(started)) }
			s.start(c)
			s.eventually("the edition is sent", func() bool { return s.state(draft.ID) == digest.Sent })
			counts, err := s.Store.EditionCounts(t.Context(), approved.Seq)
			if err != nil || counts.Sent != 2 || counts.Total != 2 || s.readersMailed() != 2 {
				t.Errorf("counts %+v, %v; %d subscribers got it", counts, err, s.readersMailed())
			}
			first, err := s.Store.Article(t.Context(), lead)
			if err != nil {
				t.Fatal(err)
			}
			left, err := s.Store.Article(t.Context(), out)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range s.inbox.Mails() {
				if !strings.HasPrefix(m.To[0], "reader") {
					continue
				}
				read, err := mail.ReadMessage(bytes.NewReader(m.Data))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(quotedprintable.NewReader(read.Body))
				if err != nil {
					t.Fatal(err)
				}
				if text := string(body); read.Header.Get("Subject") != "Our own words" || !strings.Contains(text, first.Title) || !strings.Contains(text, "<em>morning</em>") || strings.Contains(text, left.Title) {
					t.Errorf("the mail to %s, “%s”:\n%s", m.To[0], read.Header.Get("Subject"), text)
				}
			}
			public := s.visitor()
			page := public.get(approved.PagePath())
			public.want(page, "Our own words", first.Title, "<em>morning</em>")
			for _, private := range []string{"reader0@", "reader1@", "/unsubscribe/", "/preferences/", "/proofs/", left.Title} {
				if strings.Contains(page, private) {
					t.Errorf("the page has %q", private)
				}
			}
			public.want(public.get("/digests/weekly/"), approved.PagePath())
			public.want(public.get("/digests/weekly/feed.xml"), "Our own words", approved.PagePath())
		})
	}
}

// readersMailed returns how many subscribers got mail.
func (s *site) readersMailed() (n int) {
	for address := range s.inbox.Received() {
		if strings.HasPrefix(address, "reader") {
			n++
		}
	}
	return n
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/writing"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// page is a page of the admin that is measured.
type page struct {
	name   string
	method string   // GET if empty
	paths  []string // requested in turn
	status int      // of the answer; 200 if 0
	anyone bool     // without a session
	first  bool     // only until the first part of the answer, which has no end or is as long as the list

	took   []time.Duration
	cpu    []time.Duration // of the program for each request, in steps of 10 ms
	octets int             // of the last answer
}

// quantile returns the time that some of a hundred requests do not exceed.
func quantile(times []time.Duration, percent int) time.Duration {
	all := slices.Sorted(slices.Values(times))
	return all[min(len(all)*percent/100, len(all)-1)]
}

// request requests the next path of a page.
func (s *site) request(ctx context.Context, p *page) error {
	at := p.paths[len(p.took)%len(p.paths)]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, cmp.Or(p.method, http.MethodGet), s.url+at, nil)
	if err != nil {
		return err
	}
	cpu, begin := s.service.CPU(), time.Now()
	client := s.client
	if p.anyone {
		client = http.DefaultClient
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var body []byte
	if p.first {
		body = make([]byte, 64<<10)
		var n int
		n, err = answer.Body.Read(body)
		body = body[:n]
	} else {
		body, err = io.ReadAll(answer.Body)
	}
	p.octets = len(body)
	p.took = append(p.took, time.Since(begin))
	p.cpu = append(p.cpu, s.service.CPU()-cpu)
	if want := max(p.status, http.StatusOK); answer.StatusCode != want {
		return fmt.Errorf("%s: status %d, wanted %d:\n%s", at, answer.StatusCode, want, body)
	}
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// objects are the ids of the pages' objects.
type objects struct {
	articles                       []string
	draft, sent, large, paused     string // editions
	message, toSegment, toSeveral  string // messages: to one digest, to a segment of it, and to two digests
	subscribers                    []int64
	recipient, refused             int64  // of the large edition
	written                        string // an article from the editor in the browser
	proof, invitation              string
	address, beforeArticles        string
	deepBefore, middleOfDeliveries int64
}

// pages returns all pages of the admin but the one to which an OpenID provider leads back, and those
// of uploaded lists.
func (o *objects) pages() []page {
	one := func(at string) []string { return []string{at} }
	subscribers := func(query ...string) []string {
		var out []string
		for i := 0; i < len(query); i += 2 {
			out = append(out, "/admin/subscribers?"+url.Values{query[i]: {query[i+1]}}.Encode())
		}
		return out
	}
	each := func(format string) (out []string) {
		for _, id := range o.articles {
			out = append(out, fmt.Sprintf(format, id))
		}
		return out
	}
	person := func(format string) (out []string) {
		for _, id := range o.subscribers {
			out = append(out, fmt.Sprintf(format, id))
		}
		return out
	}
	edition := func(id string) string { return "/admin/editions/" + id }
	return []page{
		{name: "sign-in", paths: one("/admin/sign-in"), anyone: true},
		{name: "forgotten password", paths: one("/admin/forgotten"), anyone: true},
		{name: "invitation", paths: one("/admin/welcome/" + o.invitation), anyone: true},
		{name: "proof by link", paths: one("/admin/proofs/" + o.proof), anyone: true},
		{name: "proof by link: mail", paths: one("/admin/proofs/" + o.proof + "/mail"), anyone: true},
		{name: "dashboard", paths: one("/admin/")},
		{name: "calendar: month", paths: []string{"/admin/calendar", "/admin/calendar?month=" + time.Now().AddDate(0, -2, 0).Format("2006-01")}},
		{name: "calendar: week", paths: one("/admin/calendar?week=now")},
		{name: "digests", paths: one("/admin/digests")},
		{name: "digest: most articles wait", paths: one("/admin/digests/weekly")},
		{name: "digest: most were sent", paths: one("/admin/digests/daily")},
		{name: "digest: one tag", paths: one("/admin/digests/monthly")},
		{name: "digest: new", paths: one("/admin/digests/new")},
		{name: "digest: settings", paths: one("/admin/digests/weekly/settings")},
		{name: "digest: preview", paths: one("/admin/digests/weekly/preview")},
		{name: "digest: frame", paths: one("/admin/digests/weekly/frame")},
		{name: "digest: mail", paths: one("/admin/digests/weekly/mail")},
		{name: "digest: text", paths: one("/admin/digests/weekly/text")},
		{name: "digest: send", paths: one("/admin/digests/daily/send")},
		{name: "edition: draft", paths: one(edition(o.draft))},
		{name: "edition: compose", paths: one(edition(o.draft) + "/compose")},
		{name: "edition: preview of a draft", paths: one(edition(o.draft) + "/preview")},
		{name: "edition: preview as a subscriber", paths: one(edition(o.draft) + "/preview?as=" + url.QueryEscape(o.address))},
		{name: "edition: frame of a draft", paths: one(edition(o.draft) + "/frame")},
		{name: "edition: mail of a draft", paths: one(edition(o.draft) + "/mail")},
		{name: "edition: sent to few", paths: one(edition(o.sent))},
		{name: "edition: sent to all", paths: one(edition(o.large))},
		{name: "edition: paused", paths: one(edition(o.paused))},
		{name: "edition: events", paths: one(edition(o.paused) + "/events"), first: true},
		{name: "edition: preview", paths: one(edition(o.large) + "/preview")},
		{name: "edition: frame", paths: one(edition(o.large) + "/frame")},
		{name: "edition: mail", paths: one(edition(o.large) + "/mail")},
		{name: "deliveries", paths: one(edition(o.large) + "/deliveries")},
		{name: "deliveries: deep page", paths: one(fmt.Sprint(edition(o.large), "/deliveries?after=", o.middleOfDeliveries))},
		{name: "deliveries: state", paths: []string{edition(o.large) + "/deliveries?state=refused", edition(o.large) + "/deliveries?state=deferred"}},
		{name: "deliveries: reply", paths: []string{edition(o.large) + "/deliveries?reply=permanent", edition(o.large) + "/deliveries?reply=temporary"}},
		{name: "deliveries: search", paths: []string{edition(o.large) + "/deliveries?q=lefevre77", edition(o.large) + "/deliveries?q=gmail", edition(o.large) + "/deliveries?q=zanzibar", edition(o.large) + "/deliveries?q=ada&state=refused"}},
		{name: "deliveries: CSV", method: http.MethodPost, paths: one(edition(o.large) + "/deliveries.csv"), first: true},
		{name: "delivery", paths: []string{fmt.Sprint(edition(o.large), "/deliveries/", o.recipient), fmt.Sprint(edition(o.large), "/deliveries/", o.refused)}},
		{name: "messages", paths: one("/admin/messages")},
		{name: "message: new", paths: one("/admin/messages/new")},
		{name: "message", paths: one("/admin/messages/" + o.message)},
		{name: "message: edition", paths: one(edition(o.message))},
		{name: "message: to a segment", paths: one(edition(o.toSegment))},
		{name: "message: to several digests", paths: one(edition(o.toSeveral))},
		{name: "articles", paths: one("/admin/articles")},
		{name: "articles: deep page", paths: one("/admin/articles?before=" + o.beforeArticles)},
		{name: "articles: search", paths: []string{"/admin/articles?q=harbour", "/admin/articles?q=harbour+council+market", "/admin/articles?q=zanzibar"}},
		{name: "articles: state", paths: []string{"/admin/articles?state=published", "/admin/articles?state=draft", "/admin/articles?state=removed", "/admin/articles?state=scheduled"}},
		{name: "articles: filters", paths: []string{"/admin/articles?tag=tag+7", "/admin/articles?author=Author+3&language=fr", "/admin/articles?tag=tag+7&q=harbour", "/admin/articles?match=all+AND+NOT+%22tag+7%22"}},
		{name: "article: new", paths: one("/admin/articles/new")},
		{name: "article", paths: each("/admin/articles/%s")},
		{name: "article: preview", paths: each("/admin/articles/%s/preview")},
		{name: "article: where it appears", paths: each("/admin/articles/%s/where")},
		{name: "article: written here", paths: one("/admin/articles/" + o.written)},
		{name: "article: history", paths: []string{"/admin/articles/" + o.written + "/history", "/admin/articles/" + o.written + "/history?show=7&with=3"}},
		{name: "subscribers", paths: one("/admin/subscribers")},
		{name: "subscribers: deep page", paths: subscribers("before", fmt.Sprint(o.deepBefore))},
		{name: "subscribers: frequent text", paths: subscribers("q", "gmail", "q", "example", "q", "ad")},
		{name: "subscribers: some have it", paths: subscribers("q", "lefevre", "q", "chloé", "q", "müller jürgen")},
		{name: "subscribers: one has it", paths: subscribers("q", o.address, "q", "lefevre77", "q", "nora.klein123")},
		{name: "subscribers: no one has it", paths: subscribers("q", "zanzibar", "q", "qx", "q", "ada.xyz")},
		{name: "subscribers: state", paths: subscribers("state", "active", "state", "complained", "state", "bounced")},
		{name: "subscribers: digest", paths: subscribers("digest", "weekly", "digest", "staff")},
		{name: "subscribers: label, topic", paths: subscribers("label", "source 3", "topic", "tag 3")},
		{name: "subscribers: language", paths: subscribers("language", "fr")},
		{name: "subscribers: search with filters", paths: []string{"/admin/subscribers?q=gmail&state=complained", "/admin/subscribers?q=lefevre&digest=staff", "/admin/subscribers?language=fr&label=source+3&state=bounced", "/admin/subscribers?q=zanzibar&state=active"}},
		{name: "subscriber", paths: person("/admin/subscribers/%d")},
		{name: "subscriber: new", paths: one("/admin/subscribers/new")},
		{name: "subscribers: import", paths: one("/admin/subscribers/import")},
		{name: "subscribers: figures", paths: one("/admin/subscribers/figures")},
		{name: "account", paths: one("/admin/account")},
		{name: "people", paths: one("/admin/people")},
		{name: "feeds", paths: one("/admin/feeds")},
		{name: "feed", paths: one("/admin/feeds/harbour")},
		{name: "settings", paths: one("/admin/settings")},
		{name: "settings: look", paths: one("/admin/settings/appearance")},
		{name: "settings: sample email", paths: one("/admin/settings/appearance/mail")},
		{name: "settings: relays", paths: one("/admin/settings/relays")},
		{name: "settings: check", paths: one("/admin/settings/doctor")},
		{name: "link of a new address, expired", paths: one("/admin/address/expired"), status: http.StatusGone},
		{name: "audit log", paths: one("/admin/audit")},
		{name: "audit log: filters", paths: []string{"/admin/audit?who=editor3%40bench.example", "/admin/audit?action=edition.approve", "/admin/audit?who=nobody%40bench.example"}},
		{name: "quarantine", paths: one("/admin/quarantine"), status: http.StatusNotFound},
		{name: "page not found", paths: one("/admin/nothing"), status: http.StatusNotFound},
	}
}

// objects finds the objects that the pages show.
func (s *site) objects(ctx context.Context) (o objects, err error) {
	scan := func(into any, query string, args ...any) {
		if err == nil {
			if err = s.db.DB().QueryRowContext(ctx, query, args...).Scan(into); err != nil {
				err = fmt.Errorf("%s: %w", query, err)
			}
		}
	}
	for i := range 8 {
		var id string
		scan(&id, "SELECT id FROM articles WHERE seq = $1", 1+i*(s.articles()-1)/7)
		o.articles = append(o.articles, id)
		o.subscribers = append(o.subscribers, int64(1+i*(s.subscribers()-1)/8))
	}
	var large int64
	scan(&large, "SELECT edition FROM chunks GROUP BY edition ORDER BY sum(total) DESC LIMIT 1")
	scan(&o.large, "SELECT id FROM editions WHERE seq = $1", large)
	scan(&o.paused, "SELECT id FROM editions WHERE state = 'paused' LIMIT 1")
	scan(&o.sent, "SELECT id FROM editions WHERE state = 'sent' AND seq = 3")
	scan(&o.draft, "SELECT id FROM editions WHERE state = $1 AND digest = 'weekly' AND audience = '' ORDER BY seq DESC LIMIT 1", string(digest.Draft))
	scan(&o.message, "SELECT id FROM editions WHERE audience <> '' ORDER BY seq LIMIT 1")
	scan(&o.recipient, "SELECT subscriber FROM deliveries WHERE edition = $1 AND state = 'sent' LIMIT 1", large)
	scan(&o.refused, "SELECT subscriber FROM deliveries WHERE edition = $1 AND state = 'refused' LIMIT 1", large)
	scan(&o.middleOfDeliveries, "SELECT max(subscriber) / 2 FROM deliveries WHERE edition = $1", large)
	scan(&o.deepBefore, "SELECT max(id) / 2 FROM subscribers")
	scan(&o.address, "SELECT address FROM subscribers WHERE id = $1", o.subscribers[3])
	scan(&o.beforeArticles, "SELECT CAST(published AS text) || '.' || CAST(seq AS text) FROM articles WHERE seq = $1", s.articles()/2)
	if err != nil {
		return o, err
	}
	if o.written, err = s.writeArticle(ctx); err != nil {
		return o, err
	}
	if o.toSegment, err = s.writeMessage(ctx, url.Values{"digest": {"weekly"}, "segment": {"lang:fr"}}); err != nil {
		return o, err
	}
	if o.toSeveral, err = s.writeMessage(ctx, url.Values{"digest": {"weekly", "daily"}}); err != nil {
		return o, err
	}
	link, err := admin.InviteLink(ctx, s.db, s.url, admin.Invitation{Role: store.WriterRole})
	if err == nil {
		o.invitation = path.Base(link)
		o.proof, err = s.proofToken(ctx, o.draft)
	}
	return o, err
}

// proofToken returns the token in the link of a proof to the owner.
func (s *site) proofToken(ctx context.Context, draft string) (string, error) {
	keys, err := s.db.Keys(ctx)
	if err != nil {
		return "", err
	}
	var owner store.Editor
	if owner, err = s.db.EditorByEmail(ctx, ownerEmail); err != nil {
		return "", err
	}
	return keys.SignProof(owner.ID, owner.Email+"\x00"+owner.Password, draft, time.Now().Add(time.Hour)), nil
}

// writeMessage writes a message in the admin, and returns the id of its edition. The answer is the page
// of the edition, for which the recipients are counted.
func (s *site) writeMessage(ctx context.Context, form url.Values) (string, error) {
	form.Set("subject", "A message of the bench")
	form.Set("text:", "A **message**.")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/admin/messages/new", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := s.client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	id, found := strings.CutPrefix(answer.Request.URL.Path, "/admin/editions/")
	if !found {
		return "", fmt.Errorf("a message was not stored: %s at %s", answer.Status, answer.Request.URL.Path)
	}
	return id, nil
}

// revisions is how often the article was saved in the browser.
const revisions = 100

// writeArticle writes an article with a long history, and returns its id.
func (s *site) writeArticle(ctx context.Context) (string, error) {
	articles := writing.New(s.db, &config.Config{Site: config.Site{URL: s.url}})
	change := writing.Change{Author: ownerEmail}
	for i := range revisions {
		change.Written = article.Written{Title: "Written in the browser", Text: strings.Repeat("A paragraph of an article.\n\n", 100+i)}
		saved, err := articles.Save(ctx, change, false)
		if err != nil {
			return "", err
		}
		change.ID, change.Base = saved.Article, saved.Number
	}
	return change.ID, nil
}

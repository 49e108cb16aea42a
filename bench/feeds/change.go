package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// changeTarget is how soon a change must be in all feeds, with any number of stored articles.
const changeTarget = 100 * time.Millisecond

// measureChange changes one of 1,000, 10,000 and 100,000 stored articles and takes the time from
// before it is stored until all its feeds show it. It changes the newest article, which is in the
// newest documents, and the middle one, which is in their archives. The node is notified of the
// change; other nodes poll the store every 200 ms, which is not counted.
func measureChange(ctx context.Context, o *options) error {
	var server *testkit.Postgres
	if strings.Contains(o.stores, "postgres") {
		var err error
		if server, err = testkit.LaunchPostgres(testkit.PostgresOptions{}); err != nil {
			return err
		}
		defer server.Remove()
	}
	fmt.Printf("%-10s %-10s %14s %12s %14s %12s %14s\n", "store", "stored", "newest, median", "worst of 10", "middle, median", "worst of 10", "oldest page")
	for _, engine := range strings.Split(o.stores, ",") {
		for stored := 1000; stored <= o.most; stored *= 10 {
			if err := measureStored(ctx, o, engine, server, stored); err != nil {
				return fmt.Errorf("%s, %d articles: %w", engine, stored, err)
			}
		}
	}
	fmt.Printf("target: %v; a change shows in RSS, Atom and JSON of everything, a tag, the author, the language, a search and an expression\n", changeTarget)
	return nil
}

func measureStored(ctx context.Context, o *options, engine string, server *testkit.Postgres, stored int) error {
	db, remove, err := newStore(ctx, engine, server)
	if err != nil {
		return err
	}
	defer remove()
	if err := fill(ctx, db, stored, 1<<10); err != nil {
		return err
	}
	feeds := feedserver.New(feedserver.Options{Source: app.NewFeedSource(db), Site: site()})
	newest, err := changes(ctx, db, feeds, stored-1, "")
	if err != nil {
		return err
	}
	above, err := cursorAbove(ctx, db, stored/2)
	if err != nil {
		return err
	}
	middle, err := changes(ctx, db, feeds, stored/2, above)
	if err != nil {
		return err
	}
	oldest, err := oldestPage(ctx, db, feeds)
	if err != nil {
		return err
	}
	late := max(newest[len(newest)/2], middle[len(middle)/2], oldest)
	fmt.Printf("%-10s %-10d %14v %12v %14v %12v %14v%s\n", engine, stored, tenth(newest[len(newest)/2]), tenth(newest[len(newest)-1]),
		tenth(middle[len(middle)/2]), tenth(middle[len(middle)-1]), tenth(oldest),
		o.want(late <= changeTarget, "change, %s with %d articles: %v, target %v", engine, stored, tenth(late), changeTarget))
	return nil
}

// changes changes an article ten times and returns how long it took each time until all its feeds
// showed it, sorted. cursor identifies the archive pages that show it; "" means the newest
// documents.
func changes(ctx context.Context, db *store.Store, feeds *feedserver.Server, n int, cursor string) ([]time.Duration, error) {
	changed := makeArticle(n, 2<<10)
	paths := documentsOf(&changed, cursor)
	for _, path := range paths {
		if _, err := ask(feeds, path); err != nil {
			return nil, err
		}
	}
	var times []time.Duration
	for round := range 10 {
		changed.Title = fmt.Sprintf("Article %d, changed for the %d. time", n, round)
		changed.Hash = changed.Title
		began := time.Now()
		if _, err := db.PutArticles(ctx, []article.Article{changed}); err != nil {
			return nil, err
		}
		feeds.Changed()
		for _, path := range paths {
			body, err := ask(feeds, path)
			if err != nil {
				return nil, err
			}
			if !bytes.Contains(body, []byte(changed.Title)) {
				return nil, fmt.Errorf("%s does not show the change", path)
			}
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return times, nil
}

// documentsOf returns the paths of the documents that show an article.
func documentsOf(a *article.Article, cursor string) []string {
	definitions := []feed.Definition{
		{Kind: feed.Everything},
		{Kind: feed.ByTag, Name: a.Tags[1]},
		{Kind: feed.ByAuthor, Name: a.Authors[0].Name},
		{Kind: feed.ByLanguage, Name: a.Language},
		{Kind: feed.BySearch, Name: "reader"},
		{Kind: feed.ByMatch, Name: "all AND NOT jobs"},
	}
	var paths []string
	for _, d := range definitions {
		for _, format := range feed.Formats {
			paths = append(paths, d.Path(format, cursor))
		}
	}
	return paths
}

// cursorAbove returns the cursor of the archive pages that begin with the n-th article.
func cursorAbove(ctx context.Context, db *store.Store, n int) (string, error) {
	a := makeArticle(n, 0)
	found, err := db.Articles(ctx, store.Query{Filter: article.Filter{Expr: article.Tag{Key: a.Tags[1]}}, Limit: 1000, IDs: true})
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(found, func(s store.StoredArticle) bool { return s.ID == a.ID })
	if at < 0 {
		return "", fmt.Errorf("article %d is not stored", n)
	}
	return feed.Position{Appeared: found[at].Position.At, Seq: found[at].Position.Seq + 1}.String(), nil
}

// oldestPage renders the last page of the history: it begins near its end and follows
// the links from there.
func oldestPage(ctx context.Context, db *store.Store, feeds http.Handler) (time.Duration, error) {
	const nearTheEnd = 30
	found, err := db.Articles(ctx, store.Query{Oldest: true, Limit: nearTheEnd, IDs: true})
	if err != nil {
		return 0, err
	}
	last := found[len(found)-1].Position
	d := feed.Definition{Kind: feed.Everything}
	for path := d.Path(feed.FormatAtom, feed.Position{Appeared: last.At, Seq: last.Seq}.String()); ; {
		began := time.Now()
		body, err := ask(feeds, path)
		took := time.Since(began)
		if err != nil || bytes.Contains(body, []byte(found[0].ID)) {
			return took, err
		}
		older := prevArchive.FindSubmatch(body)
		if older == nil {
			return 0, fmt.Errorf("%s is the end of the history, without the oldest article", path)
		}
		path = strings.TrimPrefix(string(older[1]), site().URL)
	}
}

var prevArchive = regexp.MustCompile(`href="([^"]*)" rel="prev-archive"`)

func ask(handler http.Handler, path string) ([]byte, error) {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes(), nil
}

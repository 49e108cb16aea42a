package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/serve"
	"github.com/tidings-press/tidings/press"
	"github.com/tidings-press/tidings/store"
)

// measureChange changes one of 1,000, 10,000 and 100,000 stored articles and takes
// the time until all its feeds show that. One node is told of the change; the
// other finds out by asking the store every 200 ms, which is not counted.
func measureChange(ctx context.Context, o options) error {
	fmt.Printf("%-10s %14s %14s %16s\n", "stored", "all its feeds", "worst of 10", "oldest page")
	for _, stored := range []int{1_000, 10_000, 100_000} {
		if err := measureStored(ctx, stored); err != nil {
			return err
		}
	}
	fmt.Println("target: 100 ms, whatever is stored; a change shows in RSS, Atom and JSON of everything, a tag, the author, the language, a search and an expression")
	return nil
}

func measureStored(ctx context.Context, stored int) error {
	db, remove, err := newStore(ctx)
	if err != nil {
		return err
	}
	defer remove()
	if err := fill(ctx, db, stored, 1<<10); err != nil {
		return err
	}
	server := serve.New(serve.Options{Source: press.NewFeedSource(db), Site: site()})
	changed := makeArticle(stored-1, 2<<10)
	paths := feedsOf(&changed)
	for _, path := range paths {
		if _, err := ask(server, path); err != nil {
			return err
		}
	}
	var times []time.Duration
	for round := range 10 {
		changed.Title = fmt.Sprintf("Changed for the %d. time", round)
		changed.Hash = changed.Title
		if _, err := db.PutArticles(ctx, []article.Article{changed}); err != nil {
			return err
		}
		server.Changed()
		began := time.Now()
		for _, path := range paths {
			body, err := ask(server, path)
			if err != nil {
				return err
			}
			if !bytes.Contains(body, []byte(changed.Title)) {
				return fmt.Errorf("%s does not show the change", path)
			}
		}
		times = append(times, time.Since(began))
	}
	oldest, err := oldestPage(server)
	if err != nil {
		return err
	}
	slices.Sort(times)
	fmt.Printf("%-10d %14v %14v %16v\n", stored, times[len(times)/2].Round(100*time.Microsecond), times[len(times)-1].Round(100*time.Microsecond), oldest.Round(100*time.Microsecond))
	return nil
}

// newStore opens a fresh store, which remove closes and removes.
func newStore(ctx context.Context) (db *store.Store, remove func(), err error) {
	dir, err := os.MkdirTemp("", "tidings-bench-feeds-")
	if err != nil {
		return nil, nil, err
	}
	db, err = store.Open(ctx, "sqlite:"+filepath.Join(dir, "press.db"), store.Options{})
	if err != nil {
		os.RemoveAll(dir)
		return nil, nil, err
	}
	return db, func() {
		db.Close()
		os.RemoveAll(dir)
	}, nil
}

func fill(ctx context.Context, db *store.Store, stored, bytes int) error {
	batch := make([]article.Article, 0, 1000)
	for i := range stored {
		a := makeArticle(i, bytes)
		a.Hash = a.ID
		if batch = append(batch, a); len(batch) == cap(batch) || i == stored-1 {
			if _, err := db.PutArticles(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// feedsOf are the documents that show an article.
func feedsOf(a *article.Article) []string {
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
			paths = append(paths, d.Path(format, ""))
		}
	}
	return paths
}

func ask(handler http.Handler, path string) ([]byte, error) {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes(), nil
}

// oldestPage renders an archive page at the far end of the history.
func oldestPage(handler http.Handler) (time.Duration, error) {
	oldest := feed.Position{Appeared: time.Now().UnixMilli(), Seq: 60}
	d := feed.Definition{Kind: feed.Everything}
	began := time.Now()
	_, err := ask(handler, d.Path(feed.FormatAtom, oldest.String()))
	return time.Since(began), err
}

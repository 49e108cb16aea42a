package benchkit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// PutArticles stores n articles, a thousand in each transaction. next makes one article after the
// other.
func PutArticles(ctx context.Context, db *store.Store, n int, next func(i int) article.Article) error {
	batch := make([]article.Article, 0, 1000)
	for i := range n {
		if batch = append(batch, next(i)); len(batch) == cap(batch) || i == n-1 {
			if _, err := db.PutArticles(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// Words are the words of the articles that MakeArticle makes.
var Words = strings.Fields(`harbour council library market engine garden question answer paper evening report century window
	signal teacher valley music bridge station summer winter people money science letter history island journey village doctor`)

// MakeArticle makes the n-th article: about 4 KB, with two of some 500 tags and one of 40 authors.
// The newest are an hour old, the others older.
func MakeArticle(n int, now time.Time) article.Article {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	var text strings.Builder
	for text.Len() < 4000 {
		text.WriteString("<p>")
		for range 60 {
			text.WriteString(Words[random.IntN(len(Words))] + " ")
		}
		text.WriteString("</p>\n")
	}
	at := now.Add(-time.Hour - time.Duration(random.IntN(100_000))*time.Minute)
	return article.Article{
		Source: fmt.Sprint("bench/", n), Slug: fmt.Sprint("article-", n), Title: fmt.Sprintf("Article %d of the bench", n), Hash: fmt.Sprint(n),
		Summary: "What the article says in short, so that a reader may skip it.", HTML: text.String(), Language: []string{"en", "fr", "de"}[n%3],
		Authors: []article.Author{{Name: fmt.Sprint("Author ", n%40)}}, Tags: []string{"all", fmt.Sprint("tag ", n%500)},
		Published: at, Updated: at, Status: article.Published,
	}
}

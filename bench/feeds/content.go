package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
)

var words = strings.Fields(`the town hall opened its doors on a cold morning but no one came so the editors wrote about the weather
	river council library market engine garden question harbour answer paper evening report century window signal teacher
	valley music bridge station summer winter people money science letter history island journey village doctor mountain`)

// prose returns HTML of about the given number of bytes, the same for the same seed. Its words are
// drawn at random, so that it compresses like text and not like one repeated line.
func prose(seed uint64, bytes int) string {
	random := rand.New(rand.NewPCG(seed, 7))
	var b strings.Builder
	for b.Len() < bytes {
		fmt.Fprintf(&b, `<h2 id="h%d">`, b.Len())
		sentence(&b, random, 5)
		b.WriteString("</h2>\n<p>")
		for range 6 {
			sentence(&b, random, 12+random.IntN(12))
		}
		fmt.Fprintf(&b, `<a href="https://other.example/%d?a=1&amp;b=2">`, random.IntN(1e6))
		sentence(&b, random, 3)
		b.WriteString("</a></p>\n")
	}
	return b.String()
}

func sentence(b *strings.Builder, random *rand.Rand, n int) {
	for i := range n {
		word := words[random.IntN(len(words))]
		if random.IntN(4) == 0 {
			word += fmt.Sprint(random.IntN(1000))
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	b.WriteString(". ")
}

func makeArticle(n, bytes int) article.Article {
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
	return article.Article{
		ID: fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n*7919), Source: fmt.Sprint("bench/", n), Slug: fmt.Sprint("article-", n),
		Title: fmt.Sprintf("Article %d of the bench", n), Summary: "What the article says in short, so that a reader may skip it.",
		HTML: prose(uint64(n), bytes), Language: "en", Authors: []article.Author{{Name: "Ann Author"}},
		Tags:      []string{"all", fmt.Sprint("tag-", n%500)},
		Published: at, Updated: at, Ingested: at, Status: article.Published,
	}
}

func site() feed.Site {
	return feed.Site{
		Title: "The Bench", Description: "Articles to measure with", URL: "https://bench.example", Language: "en",
		Identity: []byte("the identity of the bench"),
	}
}

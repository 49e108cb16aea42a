package feedrules

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
)

// Noon is the current time in the tests of feeds.
var Noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// Site returns the settings of a publication.
func Site() feed.Site {
	return feed.Site{
		Title: "The Press", Description: "News of the press", URL: "https://press.example", Language: "en",
		Copyright: "© 2026 The Press", Editor: "Erin Editor <erin@press.example>", Webmaster: "web@press.example",
		Icon: "/icon.png", Image: "/logo.png", Identity: []byte("identity of the test store"),
		Hubs: []string{"https://hub.example/"},
	}
}

// ID returns the id of the n-th article.
func ID(n int) string {
	sum := sha256.Sum256([]byte(fmt.Sprint("article ", n)))
	sum[6], sum[8] = sum[6]&0x0F|0x40, sum[8]&0x3F|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// Article returns the n-th article of a series. Each is published a minute after the one
// before.
func Article(n int) article.Article {
	at := Noon.Add(-1000 * time.Hour).Add(time.Duration(n) * time.Minute)
	return article.Article{
		ID: ID(n), Source: fmt.Sprintf("test/%d.md", n), Slug: fmt.Sprintf("article-%d", n),
		Title: fmt.Sprintf("Article %d", n), Summary: fmt.Sprintf("What article %d says.", n),
		HTML:     fmt.Sprintf("<p>This is article <b>%d</b>, with a <a href=\"https://other.example/%d\">link</a>.</p>", n, n),
		Language: "en", Authors: []article.Author{{Name: "Ann Author"}}, Tags: []string{"all"},
		Published: at, Updated: at, Ingested: at, Status: article.Published,
	}
}

// FullArticle returns the n-th article with all optional parts: image, enclosures, origin,
// several authors and tags.
func FullArticle(n int) article.Article {
	a := Article(n)
	a.Tags = []string{"C/C++", "été", "R&D"}
	a.Authors = []article.Author{{Name: "Ann Author", Email: "ann@press.example", URL: "https://ann.example/"}, {Name: "Bob <b> & Sons"}}
	a.Image = &article.Image{URL: "/media/a.png", Alt: "A picture", Type: "image/png", Bytes: 1234, Width: 640, Height: 480}
	a.Enclosure = []article.Enclosure{
		{URL: "/media/a.mp3", Title: "Listen", Type: "audio/mpeg", Bytes: 123456, Duration: 95 * time.Second},
		{URL: "/media/b.pdf", Type: "application/pdf"},
	}
	a.Origin = &article.Origin{Title: "Elsewhere", URL: "https://elsewhere.example/", FeedURL: "https://elsewhere.example/feed.xml"}
	a.HTML = `<figure><picture><source srcset="/media/a.webp 640w, /media/b.webp 1280w" type="image/webp"><img src="/media/a.png" alt="A picture"></picture><figcaption>Words</figcaption></figure>` +
		`<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table><pre><code>x &lt; y &amp;&amp; y</code></pre><p><audio src="/media/a.mp3" controls></audio><video src="/media/v.mp4" poster="/media/p.png" controls></video></p>`
	return a
}

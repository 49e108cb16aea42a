package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
)

// withLines imports an article with these lines of front matter.
func withLines(t *testing.T, lines string) ingest.Imported {
	t.Helper()
	return importOne(t, "posts/here.md", "---\ntitle: A title\ndate: 2026-11-23\n"+lines+"\n---\nText.\n", ingest.Options{Site: site})
}

func TestTagsAreReadFromAnyShape(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string][]string{
		"tags: Go, Rust ,,  Go":                      {"Go", "Rust"},
		"tags: Go Rust":                              {"Go", "Rust"}, // as Jekyll does
		"tags: [Go Rust, ~, '', 2026]":               {"Go Rust", "2026"},
		"tags: {name: Go}":                           {"Go"},
		"tags: [{name: Go}, {title: Rust, name: ~}]": {"Go", "Rust"},
		"tags: [{label: Go}, {other: x}]":            {"Go"},
		"tags: [[Go, Rust], [[C]]]":                  {"Go", "Rust", "C"},
		"tags: ~\ncategories: a b\ncategory: c d":    {"a", "b", "c d"},
		"tag: [x]\ntags: [X, y]":                     {"X", "y"},
		"taxonomies: {tags: [a], categories: b}":     {"a", "b"},
		"taxonomies: [a]":                            nil,
		"tags: \"e\\u0301te\\u0301, été\"":           {"été"},
		"tags: ['a\tb', ' a  b ']":                   {"a b"},
	} {
		if got := withLines(t, lines).Article.Tags; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
	}
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, "- tag %d %s\n", i, strings.Repeat("x", 300))
	}
	got := withLines(t, "tags:\n"+many.String()).Article.Tags
	if len(got) != 100 || len(got[0]) != 200 || !strings.HasPrefix(got[99], "tag 99 ") {
		t.Errorf("%d tags, the first of %d bytes", len(got), len(got[0]))
	}
}

func TestTextsThatAreListsAreLeftOutWithAWarning(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]struct{ summary, warning string }{
		"summary: {a: b}":                   {"Text.", "posts/here.md:4: summary is a list, where one value is wanted, and is left out; quote a text that begins with [ or {"},
		"summary: [a, b]":                   {"Text.", "posts/here.md:4: summary is a list, where one value is wanted, and is left out; quote a text that begins with [ or {"},
		"summary: [a]\ndescription: real":   {"real", "posts/here.md:4: summary is a list, where one value is wanted, and is left out; quote a text that begins with [ or {"},
		"lang: [en, fr]":                    {"Text.", "posts/here.md:4: lang is a list, where one value is wanted, and is left out; quote a text that begins with [ or {"},
		"summary: true\nexcerpt: short":     {"short", ""},
		"summary: ''\ndescription: a\tb":    {"a b", ""},
		"summary: \"[a, b]\"":               {"[a, b]", ""},
		"description: ~\nexcerpt: {}":       {"Text.", "posts/here.md:5: excerpt is a list, where one value is wanted, and is left out; quote a text that begins with [ or {"},
		"summary: >\n  two\n  lines\n\n  x": {"two lines x", ""},
		"summary: a <b>bold</b> & {{ .x }}": {"a <b>bold</b> & {{ .x }}", ""},
	} {
		one := withLines(t, lines)
		if got := textsOf(one.Warnings); one.Article.Summary != want.summary || got != want.warning {
			t.Errorf("%s: %q, warnings %q", lines, one.Article.Summary, got)
		}
	}
	one := withLines(t, "summary: "+strings.Repeat("é", 3000))
	if got := one.Article.Summary; len(got) != 5000 || textsOf(one.Warnings) != "posts/here.md:4: summary has 6000 bytes and is cut after 5000" {
		t.Errorf("%d bytes, %s", len(got), textsOf(one.Warnings))
	}
}

func TestOriginHasOnlyTheAddressesThatAreGiven(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]*article.Origin{
		"origin: {title: The Quay}":                             {Title: "The Quay"},
		"origin: {url: https://a.example/x}":                    {URL: "https://a.example/x"},
		"origin: {title: ' a  b ', feed: //a.example/feed.xml}": {Title: "a b", FeedURL: "https://a.example/feed.xml"},
		"origin: {url: 'javascript:alert(1)', feed: 'x y'}":     {FeedURL: "/articles/x%20y"},
		"origin: {}":             {},
		"origin: The Quay":       nil,
		"origin: [The Quay]":     nil,
		"origin: {url: ~, x: y}": {},
	} {
		got := withLines(t, lines).Article.Origin
		if (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: %+v, want %+v", lines, got, want)
		}
	}
}

func TestAuthorsAreReadFromAnyShape(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		"authors: Ada":                                                      "{Ada   }",
		"author: [~, '', Ada <ada@example.org>]":                            "{Ada ada@example.org  }",
		"by: '\"Lind, Ada\" <ada@example.org>'":                             "{Lind, Ada ada@example.org  }",
		"author: ada@example.org":                                           "{ada@example.org   }",
		"authors: {name: Ada, url: https://ada.example/, email: ~}":         "{Ada  https://ada.example/ }",
		"authors: []\nauthor: Ada":                                          "{Ada   }",
		"authors: [{email: ada@example.org}]\nby: Bob":                      "{Bob   }",
		"authors: [{name: Ada, avatar: https://a.example/a.png}]":           "{Ada   https://a.example/a.png}",
		"authors: [{name: Ada, url: 'javascript:1'}]":                       "{Ada   } | posts/here.md:4: Ada: \"javascript:1\" is not a URL of a page; write https://… or leave it out",
		"authors: [{name: Ada, email: 'ada@'}]":                             "{Ada   } | posts/here.md:4: Ada: \"ada@\" is not a mail address; write name@example.org or leave it out",
		"authors: [{name: Ada, portrait: 'javascript:1'}, {name: Bob}]":     "{Ada   } {Bob   } | posts/here.md:4: Ada: \"javascript:1\" is not the address of a portrait; write a URL or the name of a file beside the article",
		"authors: [{name: Ada, picture: /ada.png, image: https://b/c.png}]": "{Ada   https://b/c.png}",
	} {
		one := withLines(t, lines)
		var got []string
		for _, a := range one.Article.Authors {
			got = append(got, fmt.Sprint(a))
		}
		text := strings.Join(got, " ")
		if warnings := textsOf(one.Warnings); warnings != "" {
			text += " | " + warnings
		}
		if text != want {
			t.Errorf("%s:\n%s\nwant\n%s", lines, text, want)
		}
	}
}

func TestEpisodesAreReadFromAnyShape(t *testing.T) {
	t.Parallel()
	const audio = "enclosures: {url: https://a.example/x.mp3, length: 9}\n"
	for lines, want := range map[string]string{
		"hosts: [~, Ada]\nguest: ~":                           "persons [{Ada host   }]",
		"guests: [{name: Bob, href: https://b.example/}, {}]": "persons [{Bob guest  https://b.example/ }]",
		"people: [{name: Cy, role: editor, group: writing}]":  "persons [{Cy editor writing  }]",
		"episode: 007":                                "number 7",
		"episode: '#0'":                               "",
		"episode_number: 1.5":                         `| posts/here.md:5: episode: "1.5" is not a number; write a whole number such as 12`,
		"itunes_season: -1":                           `| posts/here.md:5: season: "-1" is not a number; write a whole number such as 12`,
		"season: 1000001":                             `| posts/here.md:5: season: "1000001" is not a number; write a whole number such as 12`,
		"podcast: {episode: 3, explicit: no}":         "number 3 explicit false",
		"episode: {number: 4, Season: 2, title: x}":   "number 4 season 2",
		"explicit: clean":                             "explicit false",
		"itunes_explicit: Explicit":                   "explicit true",
		"explicit: perhaps":                           `| posts/here.md:5: explicit: "perhaps" is neither yes nor no; write true or false`,
		"episode_type: TRAILER":                       "kind trailer",
		"episodeType: teaser":                         `| posts/here.md:5: episode_type: "teaser" is not a type of episode; write full, trailer or bonus`,
		"subtitle: [a]":                               "",
		"chapters: https://a.example/c.json":          "chapters {https://a.example/c.json application/json+chapters}",
		"chapters: [{title: x, start: 0}]":            "| posts/here.md:5: chapters: a list of chapters is not read; write the address of a JSON file with the chapters",
		"transcript: true":                            "",
		"transcript: https://a.example/t.VTT?x=.json": "transcript {{https://a.example/t.VTT?x=.json text/vtt}  true}",
		"transcripts: [{url: https://a.example/t, rel: captions, language: fr}]": "transcript {{https://a.example/t text/html} fr true}",
		"transcript: the whole text of it":                                       `| posts/here.md:5: transcript: "the whole text of it" is not an address; write the address of a file`,
		"block: yes":                                                             "block",
	} {
		one := withLines(t, audio+lines)
		var got []string
		if e := one.Article.Episode; e != nil {
			if e.Persons != nil {
				got = append(got, fmt.Sprint("persons ", e.Persons))
			}
			if e.Number != 0 {
				got = append(got, fmt.Sprint("number ", e.Number))
			}
			if e.Season != 0 {
				got = append(got, fmt.Sprint("season ", e.Season))
			}
			if e.Explicit != nil {
				got = append(got, fmt.Sprint("explicit ", *e.Explicit))
			}
			if e.Kind != "" {
				got = append(got, "kind "+string(e.Kind))
			}
			if e.Chapters != nil {
				got = append(got, fmt.Sprint("chapters ", *e.Chapters))
			}
			for _, transcript := range e.Transcripts {
				got = append(got, fmt.Sprint("transcript ", transcript))
			}
			if e.Block {
				got = append(got, "block")
			}
		}
		if warnings := textsOf(one.Warnings); warnings != "" {
			got = append(got, "| "+warnings)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s:\n%s\nwant\n%s", lines, text, want)
		}
	}
}

func TestEnclosuresAreReadFromAnyShape(t *testing.T) {
	t.Parallel()
	unknown := func(line int, link string) string {
		return fmt.Sprintf("posts/here.md:%d: enclosures: the length of %q is unknown, and feeds write 0; write length: with its size in bytes", line, link)
	}
	for lines, want := range map[string]string{
		"enclosures: https://a.example/x.pdf":                                            "https://a.example/x.pdf application/pdf 0 0s",
		"enclosures: https://a.example/x":                                                "https://a.example/x application/octet-stream 0 0s",
		"enclosures: {url: 'https://a.example/x.MP3?a=b.pdf', length: 5}":                "https://a.example/x.MP3?a=b.pdf audio/mpeg 5 0s",
		"audio: {mp3: https://a.example/x.mp3}\nbytes: 7\nduration: '1:02'":              "https://a.example/x.mp3 audio/mpeg 7 1m2s",
		"audio: {ogg: https://a.example/x.ogg, m4a: https://a.example/x.m4a}\nlength: 3": "https://a.example/x.m4a audio/mp4 3 0s",
		"audio: true\nmp3: https://a.example/y.mp3\nsize: 3":                             "https://a.example/y.mp3 audio/mpeg 3 0s",
		"audio: {other: x}": "",
		"enclosures: {url: https://a.example/x.mp3, length: -5}":       "https://a.example/x.mp3 audio/mpeg 0 0s | " + unknown(4, "https://a.example/x.mp3"),
		"enclosures: {url: https://a.example/x.mp3, length: '12,345'}": "https://a.example/x.mp3 audio/mpeg 0 0s | " + unknown(4, "https://a.example/x.mp3"),
		"enclosures: [{url: ''}]":                                      `| posts/here.md:4: enclosures: "" is not an address; write url: with a URL or the name of a file beside the article`,
		"enclosures: [{url: 'javascript:x'}]":                          `| posts/here.md:4: enclosures: "javascript:x" is not an address; write url: with a URL or the name of a file beside the article`,
		"enclosures: {url: https://a.example/x.pdf, duration: soon}":   `https://a.example/x.pdf application/pdf 0 0s | posts/here.md:4: enclosures: duration "soon" cannot be read; write a duration such as 25m30s, 25:30 or 1530`,
	} {
		one := withLines(t, lines)
		var got []string
		for _, e := range one.Article.Enclosure {
			got = append(got, fmt.Sprint(e.URL, " ", e.Type, " ", e.Bytes, " ", e.Duration))
		}
		if warnings := textsOf(one.Warnings); warnings != "" {
			got = append(got, "| "+warnings)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s:\n%s\nwant\n%s", lines, text, want)
		}
	}
}

func TestDurationsAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"25m30s": 25*time.Minute + 30*time.Second, "25:30": 25*time.Minute + 30*time.Second, "1530": 25*time.Minute + 30*time.Second, "1:02:03": time.Hour + 2*time.Minute + 3*time.Second,
		"90:00": 90 * time.Minute, "0:59": 59 * time.Second, "0": 0, "1h": time.Hour, "1000000": 1_000_000 * time.Second, "1.5h": 90 * time.Minute,
		"0:60": -1, "1:2:3:4": -1, "-5": -1, "-5m": -1, "1000001": -1, "1.5": -1, "1:": -1, ":30": -1, "25 min": -1, "99999999999999999999": -1, "1:60:00": -1,
	} {
		one := withLines(t, fmt.Sprintf("enclosures: {url: https://a.example/x.pdf, duration: %q}", text))
		if got := one.Article.Enclosure[0].Duration; want < 0 && (got != 0 || len(one.Warnings) != 1) || want >= 0 && (got != want || len(one.Warnings) != 0) {
			t.Errorf("%q is %v, warnings %v; want %v", text, got, textsOf(one.Warnings), want)
		}
	}
}

func TestWeightsAreWholeNumbers(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{"10": 10, "-5": -5, "' 7 '": 7, "~": 0, "0": 0, "1000000000": 1_000_000_000, "1000000001": 0, "1.5": 0, "heavy": 0, "[1]": 0, "''": 0, "0x10": 0} {
		one := withLines(t, "weight: "+value)
		refused := want == 0 && value != "~" && value != "0"
		if one.Article.Weight != want || (len(one.Warnings) > 0) != refused {
			t.Errorf("weight: %s is %d, warnings %v", value, one.Article.Weight, textsOf(one.Warnings))
		}
	}
}

func TestOldAddressesLeadToTheArticle(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string][]string{
		"aliases: /2024/05/old":                {"/2024/05/old", "/2024/05/old/"},
		"aliases: [/old/]":                     {"/old/", "/old"},
		"aliases: old":                         {"/articles/old", "/old", "/old/"},
		"aliases: /old.html":                   {"/old.html"},
		"redirect_from: https://a.example/x/y": {"/x/y", "/x/y/"},
		"aliases: /":                           nil,
		"aliases: /articles/here":              nil, // its own page
		"aliases: [/a, /a, a]":                 {"/a", "/a/", "/articles/a"},
		"aliases: /été?x=1#y":                  {"/%C3%A9t%C3%A9", "/%C3%A9t%C3%A9/"},
		"url: /2024/x.html":                    {"/2024/x.html"},
		"slug: other":                          {"/articles/here"},
		"slug: other\naliases: /a.htm":         {"/a.htm", "/articles/here"},
	} {
		var got []string
		one := withLines(t, lines)
		for _, r := range one.Redirects {
			got = append(got, r.From)
			if r.To != one.Article.Path() {
				t.Errorf("%s: %s leads to %s", lines, r.From, r.To)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
	}
	if got := textsOf(withLines(t, "aliases: ['mailto:x', '?a=b']").Warnings); strings.Count(got, "is not an address; write an old path such as /2024/05/old-name") != 2 {
		t.Error(got)
	}
	if got := len(withLines(t, "aliases: ["+strings.Repeat("/a,", 3)+aliasesUpTo(500)+"]").Redirects); got != 200 {
		t.Errorf("%d redirects, want 200", got)
	}
}

func aliasesUpTo(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint("/old/", i))
	}
	return strings.Join(out, ",")
}

func TestTagsThatNameAPageLinkToIt(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"{% post_url 2026-01-01-harbour %}":        "/articles/harbour",
		"{% post_url 2026-01-01-v1.2 %}":           "/articles/v1.2",
		"{% link _posts/2026-01-01-harbour.md %}":  "/articles/harbour",
		"{% link assets/plan.pdf %}":               "/assets/plan.pdf",
		`{{< ref "post/harbour.md" >}}`:            "/articles/harbour",
		`{{< relref "/post/harbour/" >}}`:          "/articles/harbour",
		`{{< relref "/post/harbour#quay" >}}`:      "/articles/harbour#quay",
		`{{< ref path="post/harbour/index.md" >}}`: "/articles/harbour",
		`{{< ref "_index" >}}`:                     "/articles/_index",
	} {
		if got := importMarkdown(t, "[a]("+tag+")").HTML; got != `<p><a href="`+want+`">a</a></p>` {
			t.Errorf("%s: %s, want a link to %s", tag, got, want)
		}
	}
}

func TestOffsetsWithTooManyMinutesAreRefused(t *testing.T) {
	t.Parallel()
	for offset, want := range map[string]string{"+05:59": "02:01:00", "-0059": "08:59:00", "+05:60": "", "-01:75": "", "+0099": ""} {
		source := "---\ntitle: A title\ndate: 2026-11-23T08:00" + offset + "\n---\nText.\n"
		if want == "" {
			if got := importProblem(t, "a.md", source, ingest.Options{Site: site}); !strings.Contains(got, "there is no zone "+offset) {
				t.Errorf("%s: %s", offset, got)
			}
			continue
		}
		if got := importOne(t, "a.md", source, ingest.Options{Site: site}).Article.Published.Format(time.TimeOnly); got != want {
			t.Errorf("%s: %s, want %s", offset, got, want)
		}
	}
}

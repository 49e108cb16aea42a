package feed_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// definitions returns feeds of every kind.
func definitions() []feed.Definition {
	return []feed.Definition{
		{Kind: feed.Everything}, {Kind: feed.Named, Name: "go", Title: "AT&T <b>", Description: "About \"Go\"\nand more", Language: "fr"},
		{Kind: feed.ByDigest, Name: "weekly", Title: "The week", Home: "/digests/weekly/"}, {Kind: feed.ByTag, Name: "C/C++", Home: feed.TagPath("C/C++")},
		{Kind: feed.ByTag, Name: "é\x00\uffff"}, {Kind: feed.ByAuthor, Name: "Ann Author"}, {Kind: feed.ByLanguage, Name: "ckb", Language: "ckb"},
		{Kind: feed.Private, Name: "secret"}, {Kind: feed.BySearch, Name: "asked"},
	}
}

func subscriptions(t *testing.T) []byte {
	t.Helper()
	site := feedrules.Site()
	data, err := feed.OPML(site, feed.List(site, definitions(), nil, nil), feedrules.Noon)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOPMLListsAllPublicFeeds(t *testing.T) {
	t.Parallel()
	data := subscriptions(t)
	for _, problem := range feedrules.OPML(data) {
		t.Error(problem)
	}
	root, err := feedrules.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, group := range root.All("body")[0].All("outline") {
		for _, one := range group.All("outline") {
			got = append(got, group.Attributes["text"]+": "+one.Attributes["text"]+" "+strings.TrimPrefix(one.Attributes["xmlUrl"], "https://press.example")+
				" "+strings.TrimPrefix(one.Attributes["htmlUrl"], "https://press.example")+" "+one.Attributes["language"])
		}
	}
	want := []string{
		"Everything: The Press /feed.xml / en", "Feeds: AT&T <b> /feeds/go/feed.xml / fr", "Digest editions: The week /digests/weekly/feed.xml /digests/weekly/ en",
		"By tag: The Press: C/C++ /tags/C%2FC%2B%2B/feed.xml /tags/C%2FC%2B%2B/ en", "By tag: The Press: é /tags/%C3%A9/feed.xml / en",
		"By author: The Press: Ann Author /authors/Ann%20Author/feed.xml / en", "By language: The Press: ckb /languages/ckb/feed.xml / ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the list is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	head := root.All("head")[0]
	if head.Value("title") != "The Press" || head.Value("dateModified") != "Mon, 02 Mar 2026 12:00:00 +0000" || strings.Contains(string(data), "secret") {
		t.Errorf("the head is %+v", head)
	}
}

func TestOPMLRulesReportErrors(t *testing.T) {
	t.Parallel()
	good := string(subscriptions(t))
	for _, change := range [][2]string{
		{`version="2.0"`, `version="1.0"`}, {"<title>The Press</title>", ""}, {"Mon, 02", "Tue, 02"}, {`text="AT&amp;T &lt;b&gt;"`, ""}, {`xmlUrl="https://press.example/feed.xml"`, ""},
		{`xmlUrl="https://press.example/feed.xml"`, `xmlUrl="/feed.xml"`}, {`type="rss"`, `type="atom"`}, {`version="RSS"`, `version="RSS9"`}, {"/feeds/go/feed.xml", "/feed.xml"},
		{`<outline text="Feeds">`, `<outline text="Feeds">text`}, {"<body>", "<body/><body>"}, {`language="fr"`, `lang="fr"`}, {`<?xml version="1.0" encoding="UTF-8"?>`, ""},
	} {
		bad := strings.ReplaceAll(good, change[0], change[1])
		if bad == good || len(feedrules.OPML([]byte(bad))) == 0 {
			t.Errorf("no problem is reported for %q in place of %q", change[1], change[0])
		}
	}
}

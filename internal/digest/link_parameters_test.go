package digest

import (
	"strings"
	"testing"
	"time"
)

func TestLinkParametersKeepTheLink(t *testing.T) {
	t.Parallel()
	in := Input{
		Definition: Definition{Name: "weekly"}, Number: 42, Site: Site{URL: "https://Gazette.example"},
		Date: time.Date(2026, 11, 27, 23, 30, 0, 0, time.UTC),
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	sections := []Section{{Key: "At sea", Articles: sampleInput().Articles[:1]}}
	const usual = "utm_source=news&utm_campaign={digest}-{number}"
	for _, test := range []struct{ pattern, link, id, want string }{
		{usual, "https://gazette.example/a", "a1", "https://gazette.example/a?utm_source=news&utm_campaign=weekly-42"},
		{usual, "https://gazette.example/a?b=1&c#d", "a1", "https://gazette.example/a?b=1&c&utm_source=news&utm_campaign=weekly-42#d"},
		{usual, "https://gazette.example/a?utm_source=own", "a1", "https://gazette.example/a?utm_source=own&utm_campaign=weekly-42"},
		{usual, "https://gazette.example/a?#", "a1", "https://gazette.example/a?utm_source=news&utm_campaign=weekly-42#"},
		{usual, "https://gazette.example/%E6%B8%AF?q=a%20b", "a1", "https://gazette.example/%E6%B8%AF?q=a%20b&utm_source=news&utm_campaign=weekly-42"},
		{usual, "https://elsewhere.example/a", "a1", "https://elsewhere.example/a"},
		{usual, "https://BLOG.example/a", "a1", "https://BLOG.example/a?utm_source=news&utm_campaign=weekly-42"},
		{usual, "mailto:editor@gazette.example", "a1", "mailto:editor@gazette.example"},
		{usual, "https://gazette.example/%zz", "a1", "https://gazette.example/%zz"},
		{"d={date}", "https://gazette.example/a", "a1", "https://gazette.example/a?d=2026-11-28"},
		{"s={section}", "https://gazette.example/a", "a1", "https://gazette.example/a?s=at-sea"},
		{"s={section}&n={number}", "https://gazette.example/a", "a2", "https://gazette.example/a?n=42"},
		{"s={section}", "https://gazette.example/a", "a2", "https://gazette.example/a"},
		{"from=the+week%26more", "https://gazette.example/a", "a1", "https://gazette.example/a?from=the+week%26more"},
		{"", "https://gazette.example/a?b", "a1", "https://gazette.example/a?b"},
	} {
		in.Layout = Layout{LinkParameters: test.pattern, LinkHosts: []string{"blog.example"}}
		if got := newLinkParameters(in, sections, paris).addTo(test.link, test.id); got != test.want {
			t.Errorf("%s with %s: %s; want %s", test.link, test.pattern, got, test.want)
		}
	}
}

// TestLinkParametersAreOnlyInMails checks that the links to articles of a mail have the parameters, in
// both parts and in the list of titles, and other links do not.
func TestLinkParametersAreOnlyInMails(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Layout.LinkParameters = "utm_campaign={digest}"
	const parameter = "?utm_campaign=weekly"
	v := mustRender(t, in, Preferences{})
	for i := range in.Articles {
		link := in.Articles[i].URLFor(in.Site.URL)
		if in.Articles[i].URL == "" && (!strings.Contains(v.HTML, link+parameter) || !strings.Contains(v.Text, link+parameter)) {
			t.Errorf("the mail has no link %s%s", link, parameter)
		}
	}
	for _, part := range []string{"/unsubscribe", "/media/"} {
		for _, line := range strings.Split(v.HTML, "<") {
			if strings.Contains(line, part) && strings.Contains(line, parameter) {
				t.Errorf("a parameter was added to %s", line)
			}
		}
	}
}

package admin

import (
	"html/template"
	"testing"
)

func TestReasonsAreShownAsSentences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want any }{
		{"every article that fits has been in an edition", "Every article that fits has been in an edition."},
		{"élu par tous", "Élu par tous."},
		{"the approval was undone by ada@gazette.example", "The approval was undone by ada@gazette.example."},
		{"ada@gazette.example made an edition: sent.", "ada@gazette.example made an edition: sent."},
		{"config.yaml has no value", "config.yaml has no value."},
		{"“Late news” waits…", "“Late news” waits…"},
		{"", ""},
		{template.HTML("<strong>inbox</strong> waits"), template.HTML("<strong>inbox</strong> waits.")},
	} {
		if got := asSentence(c.text); got != c.want {
			t.Errorf("%q is shown as %q, want %q", c.text, got, c.want)
		}
	}
}

func TestMailboxesAreShownInUnicode(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"jonas@xn--bcherfreund-thb.example": "jonas@bücherfreund.example", "ada@example.org": "ada@example.org", "not an address": "not an address",
	} {
		if got := shownMailbox(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

func TestAddressesBreakAfterSlashes(t *testing.T) {
	t.Parallel()
	if got, want := breakable("https://example.org/a&b/feed.xml"), template.HTML("https:/<wbr>/<wbr>example.org/<wbr>a&amp;b/<wbr>feed.xml"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

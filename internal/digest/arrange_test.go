package digest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// outline writes the sections of an arrangement as "Heading: id id | Heading: id".
func outline(sections []Section) string {
	parts := make([]string, len(sections))
	for i, s := range sections {
		parts[i] = s.Heading + ":" + strings.Join(ids(s.Articles), ",")
	}
	return strings.Join(parts, " | ")
}

func tagged(tag string) article.Filter { return article.Filter{Expr: article.Tag{Key: tag}} }

func TestArticlesAreArranged(t *testing.T) {
	t.Parallel()
	sections := []SectionRule{
		{Key: "politics", Title: textOf(t, `{"en": "Politics", "fr": "Politique"}`), Filter: tagged("politics")},
		{Key: "sea", Title: "At sea", Filter: tagged("sea")},
	}
	for _, c := range []struct {
		name   string
		layout Layout
		edits  Edits
		lang   string
		want   string
	}{
		{"nothing set", Layout{}, Edits{}, "en", ":a1,a2,a3,a4"},
		{"newest first", Layout{Order: NewestFirst}, Edits{}, "en", ":a1,a2,a3,a4"},
		{"oldest first", Layout{Order: OldestFirst}, Edits{}, "en", ":a4,a3,a2,a1"},
		{"lead of the layout", Layout{Lead: tagged("politics")}, Edits{}, "en", ":a2,a1,a3,a4"},
		{"lead of an editor", Layout{Lead: tagged("politics")}, Edits{Lead: "a4"}, "en", ":a4,a1,a2,a3"},
		{"unknown lead", Layout{}, Edits{Lead: "gone"}, "en", ":a1,a2,a3,a4"},
		{"order of an editor", Layout{}, Edits{Order: []string{"a3", "gone", "a1"}}, "en", ":a3,a1,a2,a4"},
		{"sections", Layout{Sections: sections}, Edits{}, "en", ":a4 | Politics:a2 | At sea:a1,a3"},
		{"sections in French", Layout{Sections: sections}, Edits{}, "fr-CA", ":a4 | Politique:a2 | At sea:a1,a3"},
		{"lead before its section", Layout{Sections: sections}, Edits{Lead: "a3"}, "en", ":a3,a4 | Politics:a2 | At sea:a1"},
		{"section of an editor", Layout{Sections: sections}, Edits{Sections: map[string]string{"a4": "sea", "a1": NoSection}}, "en", ":a1 | Politics:a2 | At sea:a3,a4"},
		{"heading of an editor", Layout{}, Edits{Sections: map[string]string{"a1": "Short", "a4": "Short"}}, "en", ":a2,a3 | Short:a1,a4"},
		{"order within sections", Layout{Sections: sections}, Edits{Order: []string{"a3"}}, "en", ":a4 | Politics:a2 | At sea:a3,a1"},
	} {
		in := sampleInput().Articles
		if got := outline(Arrange(in, c.layout, c.edits, c.lang)); got != c.want {
			t.Errorf("%s: %q; want %q", c.name, got, c.want)
		}
		if !reflect.DeepEqual(in, sampleInput().Articles) {
			t.Errorf("%s: the articles that were passed in changed", c.name)
		}
	}
}

func TestArticlesAreOrderedByWeight(t *testing.T) {
	t.Parallel()
	in := sampleInput().Articles
	for i, weight := range []int{0, 20, -1, 20} {
		in[i].Weight = weight
	}
	for name, test := range map[string]struct {
		layout Layout
		want   string
	}{
		"lowest weight first":         {Layout{Order: ByWeight}, ":a3,a2,a4,a1"},
		"newest lead whatever weight": {Layout{Order: ByWeight, Lead: article.Filter{Expr: article.All{}}}, ":a1,a3,a2,a4"},
		"newest lead of the oldest":   {Layout{Order: OldestFirst, Lead: article.Filter{Expr: article.All{}}}, ":a1,a4,a3,a2"},
	} {
		if got := outline(Arrange(in, test.layout, Edits{}, "en")); got != test.want {
			t.Errorf("%s: %q; want %q", name, got, test.want)
		}
	}
}

func TestArticlesAreGroupedBySource(t *testing.T) {
	t.Parallel()
	in := sampleInput().Articles
	in[0].Origin = &article.Origin{Title: "Harbour News", URL: "https://harbour.example"}
	in[1].Origin, in[1].URL = &article.Origin{FeedURL: "https://www.boats.example/feed"}, "https://elsewhere.example/2"
	in[2].URL = "https://boats.example/3"
	in[3].Origin, in[3].URL = nil, ""
	layout := Layout{GroupBySource: true}
	for name, test := range map[string]struct {
		edits Edits
		want  string
	}{
		"own articles first": {Edits{}, ":a4 | Harbour News:a1 | boats.example:a2,a3"},
		"editor's order":     {Edits{Order: []string{"a3"}}, ":a4 | boats.example:a3,a2 | Harbour News:a1"},
		"editor's sections":  {Edits{Sections: map[string]string{"a1": NoSection, "a4": "Harbour News", "a2": "Ours"}}, ":a1 | Ours:a2 | boats.example:a3 | Harbour News:a4"},
		"lead":               {Edits{Lead: "a2"}, ":a2,a4 | Harbour News:a1 | boats.example:a3"},
	} {
		if got := outline(Arrange(in, layout, test.edits, "en")); got != test.want {
			t.Errorf("%s: %q; want %q", name, got, test.want)
		}
	}
}

func TestLayoutFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	layout, err := LayoutOf(&config.Digest{
		Order: "oldest", Lead: "Politics", Form: "summary",
		Sections: []config.DigestSection{
			{Name: "rest", Title: "And also", Form: "title"},
			{Name: "sea", Title: "At sea", Tag: "SEA"},
			{Name: "none", Title: "Nothing", Filter: config.Filter{Match: "nothing"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	sections := Arrange(sampleInput().Articles, layout, Edits{}, "en")
	if got, want := outline(sections), ":a2 | And also:a4 | At sea:a3,a1"; got != want {
		t.Errorf("%q; want %q", got, want)
	}
	if sections[0].Form != SummaryForm || sections[1].Form != TitleForm || sections[2].Form != SummaryForm {
		t.Errorf("the forms are %s, %s and %s", sections[0].Form, sections[1].Form, sections[2].Form)
	}
	if plain, err := LayoutOf(&config.Digest{Order: "newest"}); err != nil || !reflect.DeepEqual(plain, Layout{}) {
		t.Errorf("the default is %+v, %v; editions would change with it", plain, err)
	}
	if _, err := LayoutOf(&config.Digest{Sections: []config.DigestSection{{Name: "x", Title: "X", Filter: config.Filter{Match: "a AND"}}}}); err == nil {
		t.Error("a filter that is not valid is accepted")
	}
}

func TestSubjectAndPreheaderFollowEdits(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Edits = Edits{Lead: "a4", Preheader: "Four pieces about the harbour"}
	v := mustRender(t, in, Preferences{})
	if v.Subject != "The Weekly: 嵐のあとの港" || !strings.Contains(v.HTML, in.Edits.Preheader) || v.Articles[0] != "a4" {
		t.Errorf("the subject is %q, the first article %s", v.Subject, v.Articles[0])
	}
}

func TestPlaceholdersDifferFromWordsOfEdits(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	stem := strings.TrimSuffix(mustRender(t, in, Preferences{}).Placeholders.Name, "name")
	encoded := "&#116;" + strings.TrimPrefix(stem, "t")
	for name, edits := range map[string]Edits{
		"intro":    {Intro: map[string]string{"en": stem + "name"}},
		"entities": {Outro: map[string]string{"en": encoded}},
		"heading":  {Sections: map[string]string{"a1": stem}},
		"sponsor":  {Sponsor: &Sponsor{URL: "https://boats.example/" + stem}},
	} {
		in.Edits = edits
		if mustRender(t, in, Preferences{}).Placeholders.Name == stem+"name" {
			t.Errorf("%s contains a placeholder", name)
		}
	}
}

package app

import (
	"maps"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
)

func TestDraftFileIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	c := &delivery.Composition{
		Revision: "0123456789abcdef", Subject: `# "yes": {no}`, AutomaticSubject: "The week: A\nB",
		Articles: []article.Article{{ID: "a1", Slug: "ferries", Title: "Ferries: # late"}, {ID: "a2", Slug: "null", Title: "- Nothing"}},
		Excluded: []article.Article{{ID: "a3", Slug: "opera"}},
		Edits: digest.Edits{
			Lead: "a2", Preheader: "no",
			Intro:    map[string]string{"en": "Good *morning*.\n\n- one\n- two: ${HOME}", "": "Hi"},
			Outro:    map[string]string{"": "---\n# Bye"},
			Sections: map[string]string{"a1": "On the water"}, Forms: map[string]digest.Form{"a1": digest.TitleForm},
			Sponsor:  &digest.Sponsor{Label: "Ad", Text: "Buy\na boat", URL: "https://boats.example"},
			Excluded: []digest.Exclusion{{Article: "a3", Reason: "line\n# two", ForGood: true}},
		},
	}
	text, err := WriteDraftFile(c, []article.Article{{Slug: "cranes", Title: "Cranes"}})
	if err != nil {
		t.Fatal(err)
	}
	var f draftFile
	if _, err := config.ReadDocument(text, "draft.yaml", &f); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if f.Revision != c.Revision || f.Subject != c.Subject || f.Preheader != "no" || f.Lead != "null" {
		t.Errorf("read %+v\n%s", f, text)
	}
	if !maps.Equal(textsOf(f.Intro), c.Edits.Intro) || !maps.Equal(textsOf(f.Outro), c.Edits.Outro) {
		t.Errorf("read the texts %q and %q\n%s", textsOf(f.Intro), textsOf(f.Outro), text)
	}
	if f.Sponsor != (draftSponsor{Label: "Ad", Text: "Buy\na boat", URL: "https://boats.example"}) {
		t.Errorf("read the sponsor %+v\n%s", f.Sponsor, text)
	}
	if len(f.Articles) != 2 || f.Articles[0] != (draftArticle{Article: "null"}) || f.Articles[1] != (draftArticle{"ferries", "On the water", "title"}) || len(f.Exclude) != 0 || len(f.Add) != 0 {
		t.Errorf("read the articles %+v\n%s", f.Articles, text)
	}
}

package words_test

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tidings-press/tidings/internal/words"
)

func TestTextsAndErrorsAreTranslatedWhenShown(t *testing.T) {
	t.Parallel()
	fr := catalogue(t).In("fr")
	state := words.Errorf("edition {0} is {1}", "7", words.T("sent"))
	for got, want := range map[string]string{
		fr.Say("Sent to {0} by {1}", "Ada", "Bob"):        "Envoyé par Bob à Ada",
		fr.Translate(state):                               "l’édition 7 est envoyée",
		fr.Translate(fmt.Errorf("approve: %w", state)):    "l’édition 7 est envoyée",
		fr.Translate(words.T("No: {0}", state)):           "No: l’édition 7 est envoyée",
		fr.Translate("sent"):                              "envoyée",
		fr.Translate(words.Verbatim("sent")):              "sent",
		fr.Translate(errors.New("sent")):                  "sent",
		fr.Translate(nil):                                 "",
		state.Error():                                     "edition 7 is sent",
		words.T("No: {0}", state).String():                "No: edition 7 is sent",
		catalogue(t).In("sv").Say("Sent to {0}", "{1}"):   "Sent to {1}",
		fr.Say("sent", "an argument without placeholder"): "envoyée",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !errors.Is(words.Errorf("not read: {0}", fs.ErrNotExist), fs.ErrNotExist) {
		t.Error("an error among the arguments is not wrapped")
	}
}

func TestHTMLInTextsIsEscapedExceptArguments(t *testing.T) {
	t.Parallel()
	l := catalogue(t).In("en")
	if got := l.SayHTML("{0} & {1}", template.HTML("<b>x</b>"), "<i>"); got != "<b>x</b> &amp; &lt;i&gt;" {
		t.Error(got)
	}
	if got := l.PluralHTML(2, "{0} of {1}", "{0} of {1}", template.HTML("<b>x</b>")); got != "2 of <b>x</b>" {
		t.Error(got)
	}
}

func TestChooserFollowsTheRequest(t *testing.T) {
	t.Parallel()
	c := words.NewChooser(catalogue(t).Tags())
	for accept, want := range map[string]string{
		"": "en", "fr-CH, fr;q=0.9, en;q=0.8": "fr", "de": "de", "sv, de;q=0.5": "de", "sv": "en", "-;-": "en", string(make([]byte, 400)): "en",
	} {
		for range 2 { // the second from memory
			if got := c.Choose(accept); got != want {
				t.Errorf("%q gets %s, want %s", accept, got, want)
			}
		}
	}
}

func TestInvalidCatalogueIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := words.Load(fstest.MapFS{"fr/a.json": {Data: []byte(`{"a": 1}`)}}); err == nil {
		t.Error("a translation that is no text was accepted")
	}
}

func TestStoredTextsAreRecognized(t *testing.T) {
	t.Parallel()
	c, err := words.Load(fstest.MapFS{"fr.json": {Data: []byte(`{
		"skipped at its send time: {0}": "ignorée à l’heure d’envoi : {0}", "no editor had approved it": "personne ne l’avait approuvée",
		"{0} articles are queued, and an edition needs {1}": "{0} articles attendent, et il en faut {1}",
		"it was {0}": "wrong: the text with more letters goes first", "it was excluded by {1} for {0}": "exclu par {1} pour {0}",
		"the draft of {0} waits": "le brouillon du {0} attend"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		words.T("skipped at its send time: {0}", words.T("no editor had approved it")).String():                                           "ignorée à l’heure d’envoi : personne ne l’avait approuvée",
		words.N(1204, "{0} article is queued, and an edition needs {1}", "{0} articles are queued, and an edition needs {1}", 3).String(): "1\u00a0204 articles attendent, et il en faut 3",
		words.T("it was excluded by {1} for {0}", "its length", "Ada").String():                                                           "exclu par Ada pour its length",
		words.T("the draft of {0} waits", words.Date(time.Date(2026, time.March, 1, 8, 0, 0, 0, time.UTC))).String():                      "le brouillon du 1 mars 2026 attend",
		"held by ada@example.org": "held by ada@example.org",
		"":                        "",
	} {
		if got := c.In("fr").Recognize(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if got := c.In("en").Recognize(text); got != text {
			t.Errorf("%q in English: %q", text, got)
		}
	}
}

func TestListsAndDaysFollowLanguage(t *testing.T) {
	t.Parallel()
	de := catalogue(t).In("de")
	for got, want := range map[string]string{
		words.List[string]().String():                                              "",
		words.List("a").String():                                                   "a",
		words.List("a", "b", "c").String():                                         "a, b and c",
		de.Translate(words.List(time.Friday)):                                      "Freitag",
		de.Translate(words.List(time.March)):                                       "März",
		de.Translate(words.Joined("; ", words.T("a"), words.T("b"), words.T("c"))): "a; b; c",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

package words_test

import (
	"errors"
	"fmt"
	"html/template"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tidings-press/tidings/internal/words"
)

// load reads a catalogue of one file a language.
func load(t testing.TB, files map[string]string) *words.Catalogue {
	t.Helper()
	folder := fstest.MapFS{}
	for name, content := range files {
		folder[name] = &fstest.MapFile{Data: []byte(content)}
	}
	c, err := words.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type (
	state    string
	badState string
)

// Error makes badState an error whose type is that of a text.
func (s badState) Error() string { return "bad " + string(s) }

// refused is an error that callers decide on and that can be translated.
type refused struct{ text words.Text }

func (r *refused) Error() string    { return r.text.String() }
func (r *refused) Text() words.Text { return r.text }

func TestValuesOfAnyTypeAreTranslated(t *testing.T) {
	t.Parallel()
	c := load(t, map[string]string{"fr.json": `{"sent": "envoyée", "it is {0}": "elle est {0}", "the edition is {0}": "l’édition est {0}", "{0} hours": "{0} heures", "{0} mail": "{0} message", "{0} mails": "{0} messages", "{0} and {1}": "{0} et {1}"}`})
	fr := c.In("fr")
	noon := time.Date(2026, time.May, 8, 12, 30, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		value any
		want  string
	}{
		"a string":                 {"sent", "envoyée"},
		"a type of strings":        {state("sent"), "envoyée"},
		"a string unknown":         {"unknown", "unknown"},
		"an error that is text":    {badState("sent"), "bad sent"},
		"HTML":                     {template.HTML("sent"), "sent"},
		"a stored text":            {words.Stored("the edition is sent"), "l’édition est envoyée"},
		"a stored text in a text":  {words.T("it is {0}", words.Stored("sent")), "elle est envoyée"},
		"a string in a text":       {words.T("it is {0}", "sent"), "elle est sent"},
		"a text in a text":         {words.T("it is {0}", words.T("it is {0}", words.T("sent"))), "elle est elle est envoyée"},
		"a typed error":            {&refused{words.T("it is {0}", words.T("sent"))}, "elle est envoyée"},
		"a wrapped error":          {fmt.Errorf("at line 4: %w", &refused{words.T("sent")}), "envoyée"},
		"joined errors":            {errors.Join(errors.New("x"), words.Errorf("sent")), "envoyée"},
		"a duration":               {3 * time.Hour, "3 heures"},
		"a duration in a text":     {words.T("it is {0}", 3*time.Hour), "elle est 3 heures"},
		"a time":                   {noon, "vendredi 8 mai 2026 à 12:30 UTC"},
		"a date":                   {words.Date(noon), "8 mai 2026"},
		"a weekday":                {time.Saturday, "samedi"},
		"a month":                  {time.December, "décembre"},
		"a number":                 {1204, "1204"},
		"a boolean":                {true, "true"},
		"one":                      {words.N(1, "{0} mail", "{0} mails"), "1 message"},
		"several":                  {words.N(int64(1204), "{0} mail", "{0} mails"), "1\u00a0204 messages"},
		"a list of texts":          {words.List(words.T("sent"), words.T("sent")), "envoyée et envoyée"},
		"a list of names":          {words.List("sent", "sent"), "sent et sent"},
		"an empty text":            {words.Text{}, ""},
		"an empty stored text":     {words.Stored(""), ""},
		"an argument too few":      {words.T("it is {0}"), "elle est {0}"},
		"an argument too many":     {words.T("sent", 1, 2), "envoyée"},
		"an argument like a place": {words.T("{0} and {1}", "{1}", "{0}"), "{1} et {0}"},
		"nothing as an argument":   {words.T("it is {0}", nil), "elle est <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fr.Translate(test.value); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestPluralsAtTheBorders(t *testing.T) {
	t.Parallel()
	c := load(t, map[string]string{"fr.json": `{"{0} mail": "{0} message", "{0} mails": "{0} messages"}`, "pl.json": `{}`, "ar.json": `{}`})
	for _, test := range []struct {
		tag  string
		n    any
		want string
	}{
		{"en", -1, "-1 mail"},
		{"en", -2, "-2 mails"},
		{"en", uint64(math.MaxUint64), "18,446,744,073,709,551,615 mails"},
		{"en", int64(math.MinInt64), "-9,223,372,036,854,775,808 mails"},
		{"en", 10_000_001, "10,000,001 mails"}, // not one, although its last digits are
		{"en", 10_000_000, "10,000,000 mails"},
		{"en", 1_000_000, "1,000,000 mails"},
		{"en", uint8(1), "1 mail"},
		{"fr", 0, "0 message"},
		{"fr", -1, "-1 message"},
		{"fr", 1_000_000, "1\u00a0000\u00a0000 messages"},
		{"pl", 1, "1 mail"},
		{"pl", 21, "21 mails"},
	} {
		if got := c.In(test.tag).Plural(test.n, "mail", "mails"); got != test.want {
			t.Errorf("%s: %v is written %q, want %q", test.tag, test.n, got, test.want)
		}
	}
	fr := c.In("fr")
	if got := fr.Plural(2, "{0} mail to {1}", "{0} mails to {1}", "Ada"); got != "2 mails to Ada" {
		t.Errorf("without a translation: %q", got)
	}
	if got := fr.PluralHTML(2, "mail", "mails"); got != "2 messages" {
		t.Errorf("as HTML: %q", got)
	}
}

func TestHTMLOfTranslationsIsEscaped(t *testing.T) {
	t.Parallel()
	fr := load(t, map[string]string{"fr.json": `{"go": "<b>va</b> & {0}", "{0} mails": "{0} <i>messages</i> {1}", "cold": "<froid>"}`}).In("fr")
	for got, want := range map[template.HTML]template.HTML{
		fr.SayHTML("go", "<i>"):                                 "&lt;b&gt;va&lt;/b&gt; &amp; &lt;i&gt;",
		fr.SayHTML("go", template.HTML("<i>x</i>")):             "&lt;b&gt;va&lt;/b&gt; &amp; <i>x</i>",
		fr.SayHTML("go", words.T("cold")):                       "&lt;b&gt;va&lt;/b&gt; &amp; &lt;froid&gt;",
		fr.SayHTML("go", words.Errorf("cold")):                  "&lt;b&gt;va&lt;/b&gt; &amp; &lt;froid&gt;",
		fr.SayHTML("go", "{0}"):                                 "&lt;b&gt;va&lt;/b&gt; &amp; {0}",
		fr.PluralHTML(2, "{0} mail", "{0} mails", `"><script>`): "2 &lt;i&gt;messages&lt;/i&gt; &#34;&gt;&lt;script&gt;",
	} {
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestErrorsWrapWhatTheyAreMadeOf(t *testing.T) {
	t.Parallel()
	first, second := errors.New("first"), &refused{words.T("second")}
	err := fmt.Errorf("run: %w", words.Errorf("{0} and {1} at {2}", first, second, 4))
	var typed *refused
	if !errors.Is(err, first) || !errors.As(err, &typed) || typed != second || err.Error() != "run: first and second at 4" {
		t.Errorf("%v", err)
	}
	if plain := words.Errorf("no errors in {0}", "it"); errors.Unwrap(plain) != nil || errors.Is(plain, first) {
		t.Errorf("%v wraps something", plain)
	}
}

func TestTextsThatAreJoinedKeepTheirTranslations(t *testing.T) {
	t.Parallel()
	fr := load(t, map[string]string{"fr.json": `{"a": "un", "b": "deux", "{0}, {1}": "{0} ; {1}", "{0} and {1}": "{0} et {1}"}`}).In("fr")
	a, b := words.T("a"), words.T("b")
	for _, test := range []struct {
		text words.Text
		want string
	}{
		{words.Joined(" – "), ""},
		{words.Joined(" – ", a), "un"},
		{words.Joined(" – ", a, b, a), "un – deux – un"},
		{words.Joined("{0}", a, b), "un{0}deux"},
		{words.List(a, b, a, b), "un ; deux ; un et deux"},
		{words.List(1, 2), "1 et 2"},
		{words.Verbatim("a {0}"), "a {0}"},
	} {
		if got := fr.Translate(test.text); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	if !words.Joined("x").IsZero() || a.IsZero() || words.Verbatim("").IsZero() {
		t.Error("a text that is empty, or one that is not, is taken for the other")
	}
}

func TestLanguagesAreFoundWhateverTheirRegion(t *testing.T) {
	t.Parallel()
	c := load(t, map[string]string{"fr.json": `{"a": "un"}`, "fr/more.json": `{"b": "deux"}`, "de/x.json": `{"a": "eins"}`, "empty.json": `{}`, "null.json": "null", "null/more.json": `{"a": "x"}`, "readme.txt": "no catalogue", "de/note.txt": "neither"})
	for tag, want := range map[string]string{"fr": "fr", "fr-CA": "fr", "FR-ca": "fr", "fr-Latn-CA-x-y": "fr", "DE": "de", "": "en", "sv": "en", "en-GB": "en", "français": "en", "null": "null"} {
		if got := c.In(tag); got.Tag != want || c.Has(tag) != (want != "en" || words.Primary(tag) == "en") {
			t.Errorf("%q is %s, known %v; want %s", tag, got.Tag, c.Has(tag), want)
		}
	}
	if got := c.Tags(); !slices.Equal(got, []string{"en", "de", "empty", "fr", "null"}) {
		t.Errorf("the languages are %q", got)
	}
	if got := c.In("fr").Say("a") + c.In("fr").Say("b") + c.In("null").Say("a"); got != "undeuxx" {
		t.Errorf("the files of a language are %q", got)
	}
	if got := len(c.In("fr").Texts()); got != 2 {
		t.Errorf("%d texts, want 2", got)
	}
	var none *words.Catalogue
	if got := none.In("fr").Say("a {0}", 1); got != "a 1" {
		t.Errorf("without a catalogue: %q", got)
	}
}

func TestBrokenCatalogueIsNamed(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"fr.json":      `{"a": "b"`,
		"fr/a.json":    `{"a": {"one": "x"}}`,
		"de/text.json": "not JSON",
		"de.json":      `["a", "b"]`,
	} {
		_, err := words.Load(fstest.MapFS{name: &fstest.MapFile{Data: []byte(content)}})
		if err == nil || !strings.HasPrefix(err.Error(), "translations in "+name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := words.Load(fstest.MapFS{"fr.json/a.json": &fstest.MapFile{Data: []byte("{}")}}); err == nil {
		t.Error("a folder with the name of a file was read")
	}
}

func TestNamesOfLanguagesAreInThemselves(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"en": "English", "de": "Deutsch", "fr": "français", "ja": "日本語", "ar": "العربية", "xx": "xx", "not a tag": "not a tag", "": ""} {
		if got := words.NameOf(tag); got != want {
			t.Errorf("%q is named %q, want %q", tag, got, want)
		}
	}
	if got := load(t, map[string]string{"fr.json": "{}"}).In("fr-CA").Name(); got != "français" {
		t.Errorf("%q", got)
	}
}

func TestAcceptedLanguagesAreWeighed(t *testing.T) {
	t.Parallel()
	c := words.NewChooser([]string{"en", "fr", "de", "ja", "ar"})
	for accept, want := range map[string]string{
		"*":                               "en",
		"*, fr":                           "fr",
		"de;q=0, fr":                      "fr",
		"fr;q=0":                          "en",
		"fr;q=0.1, de;q=0.9":              "de",
		"DE-at":                           "de",
		"gsw":                             "de", // Swiss German, whose readers read German
		"zh":                              "en",
		"pt-BR, fr;q=0.3":                 "fr",
		"fr;q=abc":                        "en",
		"  fr  ":                          "fr",
		"fr,,,de":                         "fr",
		"x-klingon, fr":                   "fr",
		"ja-JP":                           "ja",
		"ar-EG, ar;q=0.9":                 "ar",
		"en;q=0.2, fr;q=0.200":            "en",
		"\x00":                            "en",
		"fr" + strings.Repeat(", fr", 73): "fr", // 294 bytes
		"fr" + strings.Repeat(", fr", 75): "en", // longer than a browser sends
	} {
		if got := c.Choose(accept); got != want {
			t.Errorf("%q gets %s, want %s", accept, got, want)
		}
	}
	if got := words.NewChooser([]string{"de"}).Choose("fr"); got != "de" {
		t.Errorf("the only language is %q", got)
	}
}

func TestChooserIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c := words.NewChooser([]string{"en", "fr", "de"})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 700 { // more than are cached
				want := []string{"fr", "de"}[i%2]
				if got := c.Choose(fmt.Sprintf("%s, x-a%d;q=0.%d", want, i, worker+1)); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestStoredTextsAreRecognizedWhateverTheyHold makes texts of the catalogue with random values that are no
// part of a text, and recognizes them.
func TestStoredTextsAreRecognizedWhateverTheyHold(t *testing.T) {
	t.Parallel()
	fr := load(t, map[string]string{"fr.json": `{
		"the host {0} does not answer at port {1}": "au port {1}, l’hôte {0} ne répond pas",
		"unknown digest {0}": "lettre inconnue : {0}",
		"{0} is held by {1}": "{1} retient {0}",
		"{0}: see line {1}": "{0} : voir ligne {1}",
		"one two": "un deux",
		"{0} {1}": "never: it has no letters",
		"ab {0}": "never: it has too few",
		"again {0} and {0}": "never: it has one value twice"}`}).In("fr")
	random := rand.New(rand.NewPCG(9, 9))
	value := func() string {
		letters := []rune("aé日.*(/[\\{}$^+?0-9 ")
		out := []rune{'x'}
		for range random.IntN(8) {
			out = append(out, letters[random.IntN(len(letters))])
		}
		return string(append(out, 'x'))
	}
	for range 2000 {
		a, b := value(), value()
		for _, test := range [][2]string{
			{words.T("the host {0} does not answer at port {1}", a, b).String(), "au port " + b + ", l’hôte " + a + " ne répond pas"},
			{words.T("unknown digest {0}", a).String(), "lettre inconnue : " + a},
			{words.T("{0} is held by {1}", a, b).String(), b + " retient " + a},
			{words.T("{0}: see line {1}", words.T("unknown digest {0}", a), words.T("one two")).String(), "lettre inconnue : " + a + " : voir ligne un deux"},
		} {
			if got := fr.Recognize(test[0]); got != test[1] {
				t.Fatalf("%q is recognized as %q, want %q", test[0], got, test[1])
			}
		}
	}
	for _, text := range []string{"ab c", "a b", "again x and x", "the host x does not answer", "unknown digest", "One two", strings.Repeat("unknown digest ", 1000)} {
		if got := fr.Recognize(text); got != text {
			t.Errorf("%.60q is recognized as %.60q", text, got)
		}
	}
}

func TestRecognizedValuesFollowTheLanguage(t *testing.T) {
	t.Parallel()
	texts := `{"it waits until {0}": "W {0}", "{0} of {1} mails": "M {0} {1}"}`
	c := load(t, map[string]string{"fr.json": texts, "de.json": texts})
	for _, test := range [][3]string{
		{"fr", "it waits until 1 March 2026", "W 1 mars 2026"},
		{"de", "it waits until 1 March 2026", "W 1. März 2026"},
		{"de", "it waits until 31 February 2026", "W 31 February 2026"},
		{"de", "1,204 of 1,234,567 mails", "M 1.204 1.234.567"},
		{"fr", "1,204 of 1,234,567 mails", "M 1\u00a0204 1\u00a0234\u00a0567"},
		{"de", "12,04 of 1234,567 mails", "M 12,04 1234,567"},
		{"de", "it waits until it waits until it waits until it waits until it waits until x", "W W W W it waits until x"},
	} {
		if got := c.In(test[0]).Recognize(test[1]); got != test[2] {
			t.Errorf("%s: %q is recognized as %q, want %q", test[0], test[1], got, test[2])
		}
	}
}

// TestEveryDateHasItsOwnNames formats each month and weekday: the layouts of package time must not read the
// letters of a language as parts of a layout.
func TestEveryDateHasItsOwnNames(t *testing.T) {
	t.Parallel()
	c := load(t, map[string]string{"fr.json": "{}", "de.json": "{}"})
	for _, tag := range []string{"en", "fr", "de"} {
		l := c.In(tag)
		seen := map[string]bool{}
		for day := range 366 {
			at := time.Date(2028, time.January, 1+day, 15, 4, 0, 0, time.FixedZone("Jan", 3600))
			for _, text := range []string{l.Day(at), l.FullDay(at), l.LongDay(at), l.ShortDay(at)} {
				if strings.ContainsAny(text, "\x01\x02\x03\x04") || !strings.Contains(text, fmt.Sprint(at.Day())) {
					t.Fatalf("%s: %s is written %q", tag, at, text)
				}
			}
			if long := l.LongDay(at); !strings.HasPrefix(long, l.Weekday(at.Weekday())) || !strings.Contains(long, l.Translate(at.Month())) || !strings.HasSuffix(long, "2028") || seen[long] {
				t.Fatalf("%s: %s is written %q", tag, at, long)
			}
			seen[l.LongDay(at)] = true
			if when := l.DateTime(at); !strings.HasSuffix(when, ", 15:04 Jan") || !strings.HasPrefix(when, l.ShortWeekday(at.Weekday())) || !strings.Contains(when, l.ShortMonth(at)) {
				t.Fatalf("%s: %s is written %q", tag, at, when)
			}
		}
	}
}

func TestDurationsAtTheBorders(t *testing.T) {
	t.Parallel()
	en := load(t, nil).In("en")
	const day = 24 * time.Hour
	for _, test := range []struct {
		d                      time.Duration
		length, until, elapsed string
	}{
		{-time.Hour, "1 second", "now", "just now"},
		{0, "1 second", "now", "just now"},
		{time.Nanosecond, "1 second", "in 1 second", "just now"},
		{1499 * time.Millisecond, "1 second", "in 1 second", "just now"},
		{time.Minute - 1, "59 seconds", "in 59 seconds", "just now"},
		{time.Minute, "60 seconds", "in 60 seconds", "60 seconds ago"},
		{2*time.Minute - 1, "119 seconds", "in 119 seconds", "119 seconds ago"},
		{2 * time.Minute, "2 minutes", "in 2 minutes", "2 minutes ago"},
		{2*time.Hour - 1, "119 minutes", "in 119 minutes", "119 minutes ago"},
		{2 * time.Hour, "2 hours", "in 2 hours", "2 hours ago"},
		{2*day - 1, "47 hours", "in 47 hours", "47 hours ago"},
		{2 * day, "2 days", "in 2 days", "2 days ago"},
		{math.MaxInt64, "106,751 days", "in 106,751 days", "106,751 days ago"},
	} {
		if got := [3]string{en.Duration(test.d), en.Until(test.d), en.Ago(test.d)}; got != [3]string{test.length, test.until, test.elapsed} {
			t.Errorf("%d ns is written %q", test.d, got)
		}
	}
}

func TestPercentagesAreRoundedDown(t *testing.T) {
	t.Parallel()
	en := load(t, nil).In("en")
	for _, test := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "0 %"}, {1, 0, "0 %"}, {999, 1000, "99 %"}, {1000, 1000, "100 %"}, {1, 1000, "0 %"}, {3, 2, "150 %"}} {
		if got := en.Percent(test.part, test.whole); got != test.want {
			t.Errorf("%d of %d is %q, want %q", test.part, test.whole, got, test.want)
		}
	}
}

package words_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/tidings-press/tidings/internal/words"
)

func catalogue(t *testing.T) *words.Catalogue {
	t.Helper()
	c, err := words.Load(fstest.MapFS{
		"fr/base.json": {Data: []byte(`{"{0} subscriber": "{0} abonné", "{0} subscribers": "{0} abonnés", "in {0} days": "dans {0} jours", "edition {0} is {1}": "l’édition {0} est {1}", "sent": "envoyée"}`)},
		"fr/more.json": {Data: []byte(`{"Sent to {0} by {1}": "Envoyé par {1} à {0}"}`)},
		"de.json":      {Data: []byte(`{"{0} subscriber": "{0} Abonnent", "{0} subscribers": "{0} Abonnenten"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDurationsAreFormatted(t *testing.T) {
	t.Parallel()
	en := catalogue(t).In("en")
	for d, want := range map[time.Duration]string{
		0: "1 second", time.Second: "1 second", 90 * time.Second: "90 seconds", 5 * time.Minute: "5 minutes", 3 * time.Hour: "3 hours",
		50 * time.Hour: "2 days", 2000 * 24 * time.Hour: "2,000 days",
	} {
		if got := en.Duration(d); got != want {
			t.Errorf("%s is written %q, want %q", d, got, want)
		}
	}
	for got, want := range map[string]string{
		en.Until(-time.Second): "now", en.Until(time.Hour): "in 60 minutes", en.Ago(time.Second): "just now", en.Ago(time.Hour): "60 minutes ago",
		catalogue(t).In("fr-CA").Until(50 * time.Hour): "dans 2 jours",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNumbersAndPluralsFollowLanguage(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	for _, one := range []struct {
		tag  string
		n    any
		want string
	}{
		{"en", 0, "0 subscribers"}, {"en", int64(1), "1 subscriber"}, {"en", uint8(2), "2 subscribers"}, {"en", 1204, "1,204 subscribers"},
		{"fr", 0, "0 abonné"}, {"fr", 1, "1 abonné"}, {"fr", 2, "2 abonnés"}, {"fr", 12345, "12\u00a0345 abonnés"},
		{"de", 0, "0 Abonnenten"}, {"de", 1, "1 Abonnent"}, {"de", 12_345, "12.345 Abonnenten"}, {"sv", 1, "1 subscriber"},
	} {
		l := c.In(one.tag)
		if got := l.Plural(one.n, "subscriber", "subscribers"); got != one.want {
			t.Errorf("%s: %q, want %q", one.tag, got, one.want)
		}
		if got := l.Plural(one.n, "{0} subscriber", "{0} subscribers"); got != one.want {
			t.Errorf("%s with the number in the text: %q, want %q", one.tag, got, one.want)
		}
	}
	if got := c.In("en").Percent(1, 3) + c.In("en").Percent(1, 0); got != "33 %0 %" {
		t.Errorf("percentages are %q", got)
	}
}

func TestDatesAreWrittenInTheLanguage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 1, 8, 5, 0, 0, time.FixedZone("CET", 3600))
	for tag, want := range map[string][7]string{
		"en": {"1 Mar 2026", "1 Mar", "Sunday 1 March 2026", "March 2026", "Sun 1 Mar 2026, 08:05 CET", "Sun", "Mar"},
		"fr": {"1 mars 2026", "1 mars", "dimanche 1 mars 2026", "mars 2026", "dim. 1 mars 2026, 08:05 CET", "dim.", "mars"},
		"de": {"1. März 2026", "1. März", "Sonntag, 1. März 2026", "März 2026", "So., 1. März 2026, 08:05 CET", "So.", "März"},
	} {
		l := catalogue(t).In(tag)
		if got := [7]string{l.Day(at), l.ShortDay(at), l.LongDay(at), l.Month(at), l.DateTime(at), l.ShortWeekday(at.Weekday()), l.ShortMonth(at)}; got != want {
			t.Errorf("%s: %q", tag, got)
		}
	}
}

package ingest_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestLanguageIsDetected(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"en": "The last ferry of the day leaves at dusk, and nobody on board has ever complained about the weather.",
		"fr": "Le marché est revenu sur la place, et la place s’est souvenue de lui comme d’un vieil ami.",
		"de": "Der Nebel kommt so regelmäßig, dass die Kinder nach ihm heimgehen und die Uhren danach stellen.",
		"ja": "灯台に人がいなくなって、もう三十年になる。明かりは機械がつけ、機械が消す。",
		"ar": "في المدينة القديمة سبع وثلاثون بئراً، عرفنا ذلك هذا الأسبوع فقط بعد بحث طويل.",
		"":   "x = y",
	} {
		if got := importMarkdown(t, text).Language; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	long := strings.Repeat("Le marché est revenu sur la place, et la place s’est souvenue de lui comme d’un vieil ami. ", 1000)
	if got := importMarkdown(t, long).Language; got != "fr" {
		t.Errorf("one endless paragraph: %q", got)
	}
	given := strings.Replace(front, "title:", "lang: pt_br\ntitle:", 1)
	if got := importOne(t, "a.md", given, ingest.Options{Language: "en"}).Article.Language; got != "pt-BR" {
		t.Error(got)
	}
	if got := importOne(t, "a.md", front, ingest.Options{Language: "de"}).Article.Language; got != "de" {
		t.Error(got)
	}
}

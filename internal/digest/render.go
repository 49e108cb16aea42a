package digest

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/templates"
)

// ErrEmpty reports that an edition has no article for a set of preferences. Preferences.SkipReason
// returns the reason to record for subscribers who are skipped because of it.
var ErrEmpty = errors.New("no article of this edition matches the subscriber's topics and language")

// DefaultTemplate is the mail template of digests that name none.
const DefaultTemplate = "digest"

// Render renders the variant of an edition for one set of preferences. It returns ErrEmpty when
// no article matches them. The same arguments give the same bytes.
func Render(in Input, prefs Preferences, set *templates.Set) (Variant, error) {
	articles, err := in.articlesFor(prefs)
	if err != nil {
		return Variant{}, err
	}
	mail, err := set.Mail(cmp.Or(in.Definition.Template, DefaultTemplate))
	if err != nil {
		return Variant{}, fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	view := newView(in, in.language(prefs), articles, set)
	if view.page.Subject, err = view.subject(); err != nil {
		return Variant{}, fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	out, err := view.variant(mail, newPlaceholders(in.ID, prefs.Key(), in.contains))
	if err != nil {
		return Variant{}, fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	out.Key = prefs.Key()
	return out, nil
}

// variant renders the mail.
func (v view) variant(mail *templates.Mail, placeholders Placeholders) (Variant, error) {
	total := len(v.articles)
	mailed, shown, err := trim(total, func(e extent) (templates.Rendered, error) {
		data, err := v.data(placeholders, e)
		if err != nil {
			return templates.Rendered{}, err
		}
		return mail.Render(data)
	})
	if err != nil {
		return Variant{}, err
	}
	out := Variant{
		Edition: v.in.ID, Language: v.page.Language,
		Title: v.in.Definition.Title.In(v.lang), Subject: v.page.Subject, HTML: mailed.HTML, Text: mailed.Text, Placeholders: placeholders,
		Articles: ids(v.articles), Shown: shown.whole,
		Warnings: warnings(len(mailed.HTML), shown, total),
	}
	out.AnonymousName, err = v.page.Phrase("nobody")
	return out, err
}

// articlesFor returns the articles for some preferences, or ErrEmpty if there are none. Everyone
// gets all articles of a message, since an editor picked them.
func (in Input) articlesFor(prefs Preferences) ([]article.Article, error) {
	if in.IsMessage() {
		return in.Articles, nil
	}
	articles := prefs.matching(in.Articles)
	if len(articles) == 0 {
		return nil, ErrEmpty
	}
	return articles, nil
}

// language returns the language of the fixed phrases. It uses the canonical language, as the key
// does, so that preferences with equal keys give equal variants. A message may be in another
// language than its digest.
func (in Input) language(prefs Preferences) string {
	if in.IsMessage() {
		return cmp.Or(prefs.MailLanguage, in.Definition.Language, in.Site.Language, "en")
	}
	return cmp.Or(canonical(prefs.Language), in.Definition.Language, prefs.MailLanguage, in.Site.Language, "en")
}

func ids(articles []article.Article) []string {
	out := make([]string, len(articles))
	for i := range articles {
		out[i] = articles[i].ID
	}
	return out
}

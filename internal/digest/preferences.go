package digest

import (
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/templates"
)

// Preferences are the choices of a subscriber that change what a mail shows. Subscribers with the
// same Key share a variant.
type Preferences struct {
	Topics   []string // article tags, any of which matches; none matches all articles
	Language string   // BCP 47; matches articles in it or in no known language; empty matches all
	// MailLanguage is the BCP 47 tag of the fixed phrases; empty for the language of the digest or
	// the site. InMailLanguage sets it.
	MailLanguage string
}

// PreferencesFor returns the preferences of a subscriber of a digest. The subscriber's language
// applies only to a digest whose definition names no language.
func PreferencesFor(def Definition, topics []string, lang string) Preferences {
	if def.Language != "" {
		lang = ""
	}
	return Preferences{Topics: topics, Language: lang}
}

// InMailLanguage returns the preferences with the language in which a subscriber gets mails, if an
// edition can follow it: the templates have phrases in it, neither the digest nor the preferences
// name a language, and an article that they select is in it. Otherwise it returns p, so that
// subscribers in many languages share the variants of an edition in one.
func (p Preferences) InMailLanguage(in Input, tag string, set *templates.Set) Preferences {
	tag = canonical(tag)
	if tag == "" || in.Definition.Language != "" || p.Language != "" || tag == canonical(in.Site.Language) {
		return p
	}
	if canonical(set.Page(templates.Site{}, tag).Language) != tag {
		return p
	}
	if slices.ContainsFunc(p.matching(in.Articles), func(a article.Article) bool { return canonical(a.Language) == tag }) {
		p.MailLanguage = tag
	}
	return p
}

// Narrowed returns preferences that select the same of the articles with as few topics as
// possible: it drops topics that match no article or only articles that other topics match too,
// and all topics if they match every article. Subscribers with many combinations of topics
// then share a few variants. Preferences that match no article are returned unchanged.
func (p Preferences) Narrowed(articles []article.Article) Preferences {
	everything := Preferences{Language: p.Language}.matching(articles)
	topics := p.topics()
	chosen := len(Preferences{Topics: topics}.matching(everything))
	if chosen == len(everything) {
		return Preferences{Language: p.Language}
	}
	if chosen == 0 {
		return p
	}
	for i := len(topics) - 1; i >= 0; i-- {
		others := slices.Delete(slices.Clone(topics), i, i+1)
		if len(others) > 0 && len(Preferences{Topics: others}.matching(everything)) == chosen {
			topics = others
		}
	}
	return Preferences{Topics: topics, Language: p.Language}
}

// Reasons for skipping a subscriber when an edition has no article for their preferences.
const (
	NoTopicMatch    = "no article in their topics"
	NoLanguageMatch = "no article in their language"
	NoMatch         = "no article in both their topics and their language"
)

// SkipReason returns why none of the articles fits these preferences, or "" when one does.
func (p Preferences) SkipReason(articles []article.Article) string {
	switch {
	case len(p.matching(articles)) > 0:
		return ""
	case len(Preferences{Language: p.Language}.matching(articles)) == 0:
		return NoLanguageMatch
	case len(Preferences{Topics: p.Topics}.matching(articles)) == 0:
		return NoTopicMatch
	}
	return NoMatch
}

// Key returns the canonical form. It is equal for preferences that differ only in order,
// repetition or spelling of topics, or in the region of the language. It is "" for no preferences.
func (p Preferences) Key() string {
	var parts []string
	if lang := canonical(p.Language); lang != "" {
		parts = append(parts, "l="+lang)
	}
	if p.MailLanguage != "" {
		parts = append(parts, "m="+p.MailLanguage)
	}
	for _, topic := range p.topics() {
		parts = append(parts, "t="+keyEscaper.Replace(topic))
	}
	return strings.Join(parts, "&")
}

// keyEscaper escapes the ampersand that separates topics in a key.
var keyEscaper = strings.NewReplacer("%", "%25", "&", "%26")

// matching returns the articles that match the preferences.
func (p Preferences) matching(articles []article.Article) []article.Article {
	lang, topics := canonical(p.Language), p.topics()
	var out []article.Article
	for i := range articles {
		if matchesLanguage(lang, &articles[i]) && matchesTopic(topics, &articles[i]) {
			out = append(out, articles[i])
		}
	}
	return out
}

// Filter returns a filter that selects the articles that match the preferences. languages are
// all languages of the stored articles, each with and without its region, as the store indexes
// them.
func (p Preferences) Filter(languages []string) article.Filter {
	topics := article.AnyOf(p.topics(), func(key string) article.Node { return article.Tag{Key: key} })
	want := canonical(p.Language)
	if want == "" {
		return topics
	}
	others := slices.DeleteFunc(slices.Clone(languages), func(tag string) bool { return sameLanguage(want, tag) })
	var suiting article.Node = article.Language{} // no known language
	for _, tag := range languages {
		if !sameLanguage(want, tag) {
			continue
		}
		var in article.Node = article.Language{Tag: tag}
		for _, other := range others { // zh, but not zh-TW
			if strings.HasPrefix(other, tag+"-") {
				in = article.And{Left: in, Right: article.Not{Of: article.Language{Tag: other}}}
			}
		}
		suiting = article.Or{Left: suiting, Right: in}
	}
	return topics.And(article.Filter{Expr: suiting})
}

// topics returns the comparison keys of the topics, sorted, each once.
func (p Preferences) topics() []string {
	keys := make([]string, 0, len(p.Topics))
	for _, topic := range p.Topics {
		if key := article.TagKey(topic); key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func matchesLanguage(want string, a *article.Article) bool {
	if want == "" {
		return true
	}
	return sameLanguage(want, a.Language)
}

// sameLanguage reports whether a language is the wanted one, or unknown.
func sameLanguage(want, tag string) bool {
	has := canonical(tag)
	return has == "" || has == want
}

func matchesTopic(keys []string, a *article.Article) bool {
	if len(keys) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Tags, func(tag string) bool {
		_, found := slices.BinarySearch(keys, article.TagKey(tag))
		return found
	})
}

// canonical returns a language without its region: "pt" for "pt-BR". It keeps a script that is
// not the usual one of the language: "zh-Hant" for "zh-TW". It returns "" for an unknown language.
func canonical(tag string) string {
	parsed, err := language.Parse(tag)
	if err != nil {
		return ""
	}
	base, _, _ := parsed.Raw()
	if base.String() == "und" {
		return ""
	}
	script, _ := parsed.Script()
	if usual, _ := language.Make(base.String()).Script(); script != usual {
		return base.String() + "-" + script.String()
	}
	return base.String()
}

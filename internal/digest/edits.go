package digest

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// Edits is what editors changed in one draft. The zero value changes nothing. It is stored with the
// edition and is part of the fingerprint that an approval carries.
type Edits struct {
	Preheader string            `json:"preheader,omitempty"` // in place of the automatic one
	Lead      string            `json:"lead,omitempty"`      // id of the article shown first
	Order     []string          `json:"order,omitempty"`     // ids of articles; the others follow in the digest's order
	Sections  map[string]string `json:"sections,omitempty"`  // by id of an article: the key of a section, or a heading
	Forms     map[string]Form   `json:"forms,omitempty"`     // by id of an article
	Intro     map[string]string `json:"intro,omitempty"`     // Markdown by language; "" is for every language
	Outro     map[string]string `json:"outro,omitempty"`     // the same, after the articles
	Sponsor   *Sponsor          `json:"sponsor,omitempty"`
	Excluded  []Exclusion       `json:"excluded,omitempty"`
	Added     []string          `json:"added,omitempty"` // ids of articles that the filter left out
	Waived    []Waiver          `json:"waived,omitempty"`
	By        string            `json:"by,omitempty"` // the editor who made the last change
	At        time.Time         `json:"at,omitzero"`
}

// Form is how much of an article a mail shows. The empty form leaves it to the template.
type Form string

// The forms of an article in a mail.
const (
	FullForm    Form = "full"
	SummaryForm Form = "summary"
	TitleForm   Form = "title"
)

// Forms lists all forms of an article.
var Forms = []Form{FullForm, SummaryForm, TitleForm}

// Sponsor is a block of advertising in a mail.
type Sponsor struct {
	Label string `json:"label,omitempty"` // such as "Sponsor"
	Text  string `json:"text,omitempty"`  // Markdown
	URL   string `json:"url,omitempty"`
	Image string `json:"image,omitempty"` // URL
}

// Exclusion records that an editor took an article out of a draft.
type Exclusion struct {
	Article string    `json:"article"`
	Reason  string    `json:"reason,omitempty"`
	ForGood bool      `json:"for_good,omitempty"` // it is in no later edition either
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Waiver records that an editor allowed a draft to be sent despite a finding of the check.
type Waiver struct {
	Finding string    `json:"finding"` // its name
	Reason  string    `json:"reason,omitempty"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// IsZero reports whether editors changed nothing.
func (e Edits) IsZero() bool { return e.text() == "{}" }

// Shown returns the edits that change what mails show in another way than by the list of
// articles.
func (e Edits) Shown() Edits {
	e.Excluded, e.Added, e.Waived, e.By, e.At = nil, nil, nil, "", time.Time{}
	return e
}

// InLanguage returns the text in a language from texts by language: that of the exact language, of
// the language without its region, or the one for every language. It is empty if there is none.
func InLanguage(texts map[string]string, lang string) string {
	return cmp.Or(texts[lang], texts[canonical(lang)], texts[""])
}

// Pictured returns an article that refers to the same images of this site as the edits and the
// intro of the digest.
func (e Edits) Pictured(d Definition) article.Article {
	return article.Article{HTML: strings.Join(mediaPaths.FindAllString(e.text()+" "+string(d.Intro), -1), " ")}
}

var mediaPaths = regexp.MustCompile(`/media/[A-Za-z0-9][A-Za-z0-9._-]*`)

// text returns all words of the edits that a template may print.
func (e Edits) text() string { return jsonText(e) }

// jsonText returns the JSON of a value of strings, bools, times and filters, with which it cannot
// fail.
func jsonText(v any) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // so that HTML entities stay recognizable
	_ = encoder.Encode(v)
	return strings.TrimSpace(out.String())
}

package delivery

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
)

// Limits of what editors write in a draft.
const (
	maxEditedLine = 300    // characters of a subject, preheader, heading or reason
	maxEditedText = 20_000 // bytes of an intro, an outro or a sponsor's text
	maxLanguages  = 50     // of an intro or outro
	maxExcluded   = 1000
)

// EditProblems are the reasons why the changes of a draft cannot be used.
type EditProblems []EditProblem

// EditProblem is what is wrong with a change of a draft.
type EditProblem struct {
	Key  string // of the field, as in the file of "digest edit": "lead", "intro.fr", "forms.ID"
	What string
	Fix  string
}

func (p EditProblems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Key + ": " + p[i].What + "; " + p[i].Fix
	}
	return strings.Join(lines, "\n")
}

// Sections returns the articles as mails show them.
func (c *Composition) Sections() []digest.Section {
	return digest.Arrange(c.Articles, c.Layout, c.Edits, c.language)
}

// Shown returns the ids of the articles in the order in which mails show them.
func (c *Composition) Shown() []string {
	var out []string
	for _, s := range c.Sections() {
		for i := range s.Articles {
			out = append(out, s.Articles[i].ID)
		}
	}
	return out
}

// index returns the position of an article in Articles, or -1.
func (c *Composition) index(id string) int {
	return slices.IndexFunc(c.Articles, func(a article.Article) bool { return a.ID == id })
}

// SetOrder shows the articles in an order. Articles that it does not name follow in the digest's
// order. If it is the digest's order, later changes of that apply.
func (c *Composition) SetOrder(ids []string) {
	c.Edits.Order = nil
	if slices.Equal(c.Shown(), ids) {
		return
	}
	c.Edits.Order = slices.Clone(ids)
	if shown := c.Shown(); c.Layout.Lead.Expr != nil && c.Edits.Lead == "" && len(ids) > 0 && len(shown) > 0 && shown[0] != ids[0] {
		c.Edits.Lead = ids[0] // in place of the one that the layout prefers
	}
}

// Reorder shows the articles in an order that an editor made of all of them, whose first one is then the
// lead if an editor had chosen one. It ignores other ids.
func (c *Composition) Reorder(ids []string) {
	var order []string
	for _, id := range ids {
		if c.index(id) >= 0 && !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	if c.Edits.Lead != "" && len(order) > 0 {
		c.Edits.Lead = order[0]
	}
	c.SetOrder(order)
}

// Move moves an article up (-1) or down (1) within its section. It changes nothing at the end of
// the section.
func (c *Composition) Move(id string, by int) {
	for _, s := range c.Sections() {
		at := slices.IndexFunc(s.Articles, func(a article.Article) bool { return a.ID == id })
		if at < 0 || at+by < 0 || at+by >= len(s.Articles) {
			continue
		}
		order := c.Shown()
		from, to := slices.Index(order, id), slices.Index(order, s.Articles[at+by].ID)
		order[from], order[to] = order[to], order[from]
		if c.Edits.Lead != "" {
			c.Edits.Lead = order[0]
		}
		c.SetOrder(order)
	}
}

// Exclude takes an article out of the draft. It returns to the queue, but this draft does not take
// it again; for good, it is marked as seen, and no edition of the digest will contain it. An
// article that is not in the draft is left as it is.
func (c *Composition) Exclude(id, reason string, forGood bool) {
	if c.index(id) < 0 {
		return
	}
	c.Articles = slices.DeleteFunc(slices.Clone(c.Articles), func(a article.Article) bool { return a.ID == id })
	c.Edits.Added = slices.DeleteFunc(c.Edits.Added, func(added string) bool { return added == id })
	c.Edits.Excluded = append(c.Edits.Excluded, digest.Exclusion{Article: id, Reason: reason, ForGood: forGood, By: c.by, At: c.now})
}

// include puts an article into the draft, where its date belongs.
func (c *Composition) include(a article.Article) {
	at := slices.IndexFunc(c.Articles, func(b article.Article) bool { return b.Published.Before(a.Published) })
	if at < 0 {
		at = len(c.Articles)
	}
	c.Articles = slices.Insert(slices.Clone(c.Articles), at, a)
	c.Edits.Excluded = slices.DeleteFunc(c.Edits.Excluded, func(x digest.Exclusion) bool { return x.Article == a.ID })
	c.Edits.Added = append(c.Edits.Added, a.ID)
}

// clean makes single lines of what is one, and drops what is empty or names articles that are not
// in the draft.
func (c *Composition) clean() {
	c.Subject, c.Edits.Preheader = article.CleanLine(c.Subject), article.CleanLine(c.Edits.Preheader)
	gone := func(id string) bool { return c.index(id) < 0 }
	c.Edits.Order = slices.DeleteFunc(c.Edits.Order, gone)
	for id, section := range c.Edits.Sections {
		c.Edits.Sections[id] = article.CleanLine(section)
	}
	maps.DeleteFunc(c.Edits.Sections, func(id, section string) bool { return section == "" || gone(id) })
	maps.DeleteFunc(c.Edits.Forms, func(id string, form digest.Form) bool { return form == "" || gone(id) })
	for _, texts := range []map[string]string{c.Edits.Intro, c.Edits.Outro} {
		for lang, text := range texts {
			texts[lang] = strings.TrimSpace(article.CleanText(text))
		}
		maps.DeleteFunc(texts, func(_, text string) bool { return text == "" })
	}
	for i := range c.Edits.Excluded {
		c.Edits.Excluded[i].Reason = article.CleanLine(c.Edits.Excluded[i].Reason)
		if c.Edits.Excluded[i].Article == c.Edits.Lead {
			c.Edits.Lead = ""
		}
	}
	if s := c.Edits.Sponsor; s != nil {
		*s = digest.Sponsor{
			Label: article.CleanLine(s.Label), Text: strings.TrimSpace(article.CleanText(s.Text)),
			URL: strings.TrimSpace(s.URL), Image: strings.TrimSpace(s.Image),
		}
		if *s == (digest.Sponsor{}) {
			c.Edits.Sponsor = nil
		}
	}
}

// problems checks what an editor changed.
func (c *Composition) problems() EditProblems {
	var out EditProblems
	wrong := func(key, what, fix string) { out = append(out, EditProblem{key, what, fix}) }
	line := func(key, text string) {
		if n := utf8.RuneCountInString(text); n > maxEditedLine {
			wrong(key, fmt.Sprintf("it has %d characters", n), fmt.Sprintf("write at most %d", maxEditedLine))
		}
	}
	if len(c.Articles) == 0 {
		wrong("articles", "no article is left", "keep one, or cancel the edition")
	}
	line("subject", c.Subject)
	line("preheader", c.Edits.Preheader)
	if lead := c.Edits.Lead; lead != "" && c.index(lead) < 0 {
		wrong("lead", fmt.Sprintf("no article of this draft has the id %q", lead), "use the id of one of its articles")
	}
	for id, section := range c.Edits.Sections {
		line("sections."+id, section)
	}
	for id, form := range c.Edits.Forms {
		if !slices.Contains(digest.Forms, form) {
			wrong("forms."+id, fmt.Sprintf("unknown form %q", form), "write full, summary or title")
		}
	}
	out = append(out, checkTexts("intro", c.Edits.Intro)...)
	out = append(out, checkTexts("outro", c.Edits.Outro)...)
	if len(c.Edits.Excluded) > maxExcluded {
		wrong("exclude", fmt.Sprintf("%d articles are excluded", len(c.Edits.Excluded)), fmt.Sprintf("exclude at most %d", maxExcluded))
	}
	for _, x := range c.Edits.Excluded {
		line("exclude", x.Reason)
	}
	if c.Edits.Sponsor != nil {
		line("sponsor.label", c.Edits.Sponsor.Label)
		out = append(out, checkSponsor(*c.Edits.Sponsor)...)
	}
	return out
}

// checkTexts checks a Markdown text per language.
func checkTexts(key string, texts map[string]string) EditProblems {
	var out EditProblems
	if len(texts) > maxLanguages {
		out = append(out, EditProblem{key, fmt.Sprintf("it is in %d languages", len(texts)), fmt.Sprintf("use at most %d", maxLanguages)})
	}
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		path := strings.TrimSuffix(key+"."+lang, ".")
		if _, err := language.Parse(lang); err != nil && lang != "" {
			out = append(out, EditProblem{path, fmt.Sprintf("%q is not a language", lang), "write a language tag, such as en or fr"})
		}
		if n := len(texts[lang]); n > maxEditedText {
			out = append(out, EditProblem{path, fmt.Sprintf("it has %d bytes", n), fmt.Sprintf("write at most %d", maxEditedText)})
		}
	}
	return out
}

func checkSponsor(s digest.Sponsor) EditProblems {
	var out EditProblems
	if s.Text == "" && s.Image == "" {
		out = append(out, EditProblem{"sponsor", "it has neither a text nor an image", "write a text, or remove the sponsor"})
	}
	if len(s.Text) > maxEditedText {
		out = append(out, EditProblem{"sponsor.text", fmt.Sprintf("it has %d bytes", len(s.Text)), fmt.Sprintf("write at most %d", maxEditedText)})
	}
	if s.URL != "" && !isWebAddress(s.URL) {
		out = append(out, EditProblem{"sponsor.url", fmt.Sprintf("%q is not a web address", s.URL), "write it with https://"})
	}
	if s.Image != "" && !isWebAddress(s.Image) && !strings.HasPrefix(s.Image, "/media/") {
		out = append(out, EditProblem{"sponsor.image", fmt.Sprintf("%q is not the address of an image", s.Image), "write it with https://, or as /media/NAME"})
	}
	return out
}

// isWebAddress reports whether a text is an absolute address on the web.
func isWebAddress(text string) bool {
	address, err := url.Parse(text)
	return err == nil && (address.Scheme == "https" || address.Scheme == "http") && address.Hostname() != "" && len(text) <= 2000
}

// cloneEdits returns a copy that shares no maps and slices, with all maps made.
func cloneEdits(edits digest.Edits) digest.Edits {
	var out digest.Edits
	text, _ := json.Marshal(edits) // it cannot fail: it holds strings, bools and times
	_ = json.Unmarshal(text, &out)
	for _, texts := range []*map[string]string{&out.Sections, &out.Intro, &out.Outro} {
		if *texts == nil {
			*texts = map[string]string{}
		}
	}
	if out.Forms == nil {
		out.Forms = map[string]digest.Form{}
	}
	return out
}

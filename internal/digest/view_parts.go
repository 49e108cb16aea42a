package digest

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"unicode"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
	"github.com/tidings-press/tidings/internal/plaintext"
	"github.com/tidings-press/tidings/templates"
)

// addArticles adds the articles that are shown whole, flat and by section.
func (v view) addArticles(d *templates.Digest, shown extent) error {
	left := shown.whole
	for _, section := range v.sections {
		count := min(len(section.Articles), left)
		if count == 0 {
			break
		}
		left -= count
		begin := len(d.Articles)
		for i := range section.Articles[:count] {
			a := v.article(&section.Articles[i])
			a.Form = string(cmp.Or(v.in.Edits.Forms[a.ID], section.Form))
			if shown.bodies {
				var err error
				if a.Body, err = v.mailBody(&section.Articles[i]); err != nil {
					return err
				}
			}
			d.Articles = append(d.Articles, a)
		}
		d.Sections = append(d.Sections, templates.Section{
			Key: article.Slugify(section.Key), Heading: singleLine(section.Heading, maxTitle), Form: string(section.Form),
			Articles: d.Articles[begin:len(d.Articles):len(d.Articles)],
		})
	}
	return nil
}

// portraitWidth is the width of an author's portrait in pixels.
const portraitWidth = 40

// addFacts adds what an article says about itself: how long it takes to read, where it comes from, and
// what its first author looks like.
func (v view) addFacts(out *templates.Article, a *article.Article) {
	minutes, known := v.minutes[a.ID]
	if !known {
		minutes = v.in.shared.readingMinutes(a.ID, func() string { return article.PlainText(a.HTML) })
		v.minutes[a.ID] = minutes
	}
	out.ReadingMinutes = minutes
	if a.Origin != nil {
		out.Source = singleLine(a.Origin.Title, maxTitle)
	}
	if len(a.Authors) > 0 && a.Authors[0].Portrait != "" {
		out.Portrait = v.portrait(a.Authors[0].Portrait)
	}
}

// portrait returns a portrait in its proportions, or nil if mail programs do not show it.
func (v view) portrait(address string) *templates.Image {
	image := v.image(&article.Image{URL: address})
	if image == nil {
		return nil
	}
	if image.Width > 0 {
		image.Height = image.Height * portraitWidth / image.Width
	}
	image.Width = portraitWidth
	return image
}

// addEdits adds what editors wrote.
func (v view) addEdits(d *templates.Digest) error {
	var err error
	edits, lang := v.in.Edits, v.lang
	if d.Intro, d.IntroText, err = v.fromMarkdown("intro", v.in.intro(lang)); err != nil {
		return err
	}
	if d.Outro, d.OutroText, err = v.fromMarkdown("outro", InLanguage(edits.Outro, lang)); err != nil {
		return err
	}
	d.Sponsor, err = v.sponsor(edits.Sponsor)
	return err
}

// intro returns the Markdown before the articles: what an editor wrote for the edition, or the intro of
// the digest. A message has only its own text.
func (in Input) intro(lang string) string {
	if own := InLanguage(in.Edits.Intro, lang); strings.TrimSpace(own) != "" || in.IsMessage() {
		return own
	}
	return in.Definition.Intro.In(lang)
}

// addInvitations adds what a mail invites its reader to do, and the date of the next edition.
func (v view) addInvitations(d *templates.Digest) {
	if v.in.hasPage() {
		d.Edition.URL = v.in.Site.URL + PagePath(v.in.Definition.Name, v.in.Number, "") // redirects to the one with the subject
	}
	d.Forward, d.Reply = v.subscribeURL(), v.in.Definition.Reply
	if !v.in.Next.IsZero() {
		d.Next = v.in.Next.In(v.zone)
	}
	if v.in.Definition.Feedback {
		d.Feedback = templates.Feedback{Yes: v.in.Site.URL + FeedbackPath(v.in.ID, "yes"), No: v.in.Site.URL + FeedbackPath(v.in.ID, "no")}
	}
}

// subscribeURL returns the URL of the subscription form for the digest.
func (v view) subscribeURL() string {
	return v.in.Site.URL + "/subscribe?" + url.Values{"digest": {v.in.Definition.Name}}.Encode()
}

// fromMarkdown converts what an editor wrote to HTML, as articles are, and to text. name is that of
// the part, for errors.
func (v view) fromMarkdown(name, source string) (template.HTML, string, error) {
	written, err := writtenBy(name, source)
	if err != nil || written == nil {
		return "", "", err
	}
	text, err := plaintext.FromHTML(written.BodyFor(v.in.Site.URL))
	if err != nil {
		return "", "", err
	}
	body, err := v.adaptBody(written)
	return body, text, err
}

// writtenBy converts what an editor wrote in Markdown, as articles are; nil if it is empty. name is that
// of the part, for errors.
func writtenBy(name, source string) (*article.Article, error) {
	if strings.TrimSpace(source) == "" {
		return nil, nil
	}
	converted, err := markup.Markdown([]byte(source))
	if err != nil {
		return nil, fmt.Errorf("the %s of the edition cannot be read: %w", name, err)
	}
	return &article.Article{HTML: markup.Sanitize(converted, nil)}, nil
}

// sponsor returns the advertisement, or nil without one. Its URL must be one that browsers open.
func (v view) sponsor(s *Sponsor) (*templates.Sponsor, error) {
	if s == nil {
		return nil, nil
	}
	out := &templates.Sponsor{Label: singleLine(s.Label, maxTitle)}
	var err error
	if out.HTML, out.Text, err = v.fromMarkdown("sponsor block", s.Text); err != nil {
		return nil, err
	}
	if address, err := url.Parse(s.URL); err == nil && markup.IsWeb(address) {
		out.URL = address.String()
	}
	if s.Image != "" {
		out.Image = v.image(&article.Image{URL: s.Image})
	}
	return out, nil
}

// Reading speeds per minute, those of adults who read silently in their own language: words where they
// are set apart by spaces, and characters in Chinese and Japanese.
const (
	wordsPerMinute      = 230
	charactersPerMinute = 500
)

// readingMinutes returns how long it takes to read a text: at least a minute, or 0 without a text.
func readingMinutes(text string) int {
	words, characters, inWord := 0, 0, false
	for _, r := range text {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			characters++
			inWord = false
		case letter && !inWord:
			words++
			inWord = true
		case unicode.IsSpace(r):
			inWord = false
		}
	}
	if words+characters == 0 {
		return 0
	}
	minutes := float64(words)/wordsPerMinute + float64(characters)/charactersPerMinute
	return max(1, int(minutes+0.5))
}

package digest

import (
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// Input is everything that an edition is made from, apart from the templates. Rendering uses no
// clock and no randomness, so that the same Input gives the same bytes on every node and after
// every restart.
type Input struct {
	ID         string     // of the edition; the placeholders are derived from it
	Definition Definition // of the digest
	Number     int        // 1 for a digest's first edition
	Site       Site
	Articles   []article.Article // as Choose returns them; Layout and Edits determine the order shown
	// Pictures are the stored images of the articles. An image of this site that is not among them
	// is left out of mails. With nil, images are shown as the articles have them.
	Pictures article.Pictures
	Date     time.Time // the edition's date: when it was created, not when it is rendered
	Subject  string    // written by an editor; empty for the definition's subject template
	Layout   Layout    // how the digest arranges the articles
	Edits    Edits     // what editors changed
	Next     time.Time // the date of the next edition; zero if there is none

	shared   *sharedParts // of several variants; see Sharing
	Audience string       // of a message, as Audience.Encode returns it; empty for an edition of a digest
}

// IsMessage reports whether the input is for a message. Its text is the intro of its Edits; it
// may have no articles, and preferences select none of them.
func (in Input) IsMessage() bool { return in.Audience != "" }

// Definition holds the settings of a digest that its editions depend on.
type Definition struct {
	Name        string
	Title       config.Text
	Description config.Text
	Intro       config.Text `json:",omitempty"` // Markdown before the articles of an edition that has no intro
	Footer      config.Text `json:",omitempty"` // lines of text; the brand's when empty
	Language    string      // language of the digest; empty when its articles have several
	Timezone    string      // IANA name, for the edition's date; UTC when empty
	Template    string      // name of a mail template; "digest" when empty
	Subject     string      // subject template; DefaultSubject when empty
	Feedback    bool        `json:",omitempty"` // mails ask if the edition was helpful
	Reply       bool        `json:",omitempty"` // mails invite replies
}

// DefaultSubject is the subject template of digests without one.
const DefaultSubject = `{{.Digest.Title}}: {{.First.Title}}`

// Site holds the settings of the site that editions depend on.
type Site struct {
	Title    config.Text
	URL      string       // without a trailing slash
	Language string       // of the fixed phrases, when neither preferences nor digest set one
	Icon     string       // URL of a small square picture; empty for none
	Postal   string       // address for the footer, with lines separated by \n
	Brand    config.Brand `json:",omitzero"`
}

// DefinitionOf returns the Definition for a digest in the configuration.
func DefinitionOf(d *config.Digest) Definition {
	return Definition{
		Name: d.Name, Title: d.Title, Description: d.Description, Intro: d.Intro, Footer: d.Footer, Language: d.Language,
		Timezone: d.Timezone, Template: d.Template, Subject: d.Subject, Feedback: d.Feedback,
		Reply: d.ReplyTo != "" && d.ReplyTo != d.Sender,
	}
}

// SiteOf returns the Site for a configuration.
func SiteOf(c *config.Config) Site {
	return Site{Title: c.Site.Title, URL: c.Site.URL, Language: c.Site.Language, Icon: c.Site.Icon, Postal: c.Mail.Postal, Brand: c.Brand}
}

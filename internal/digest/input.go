package digest

import (
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// Input is everything that an edition is made from. The same Input gives the same
// bytes on every node and after every restart: nothing else goes in, no clock
// and no randomness.
type Input struct {
	ID         string     // of the edition; the marks of the holes derive from it
	Definition Definition // of the digest
	Number     int        // 1 for a digest's first edition
	Site       Site
	Articles   []article.Article // as Choose returns them, in the order shown
	Date       time.Time         // the edition's date: when it was created, not when it is rendered
	Subject    string            // written by an editor; empty for the definition's subject template
}

// Definition is what an edition needs to know of its digest.
type Definition struct {
	Name        string
	Title       string
	Description string
	Language    string // of a digest in one language; empty when its articles come in several
	Timezone    string // IANA name, for the edition's date; UTC when empty
	Template    string // name of a mail template; "digest" when empty
	Subject     string // subject template; DefaultSubject when empty
}

// DefaultSubject is the subject template of digests that have none of their own.
const DefaultSubject = `{{.Digest.Title}}: {{.First.Title}}`

// Site is what an edition needs to know of the publication.
type Site struct {
	Title    string
	URL      string // without a last slash
	Language string // of the fixed phrases when neither reader nor digest say one
	Icon     string // URL of a small square picture; empty for none
	Postal   string // address for the footer, lines parted by \n
}

// DefinitionOf is what an edition needs to know of a digest's settings.
func DefinitionOf(d *config.Digest) Definition {
	return Definition{
		Name: d.Name, Title: d.Title, Description: d.Description, Language: d.Language,
		Timezone: d.Timezone, Template: d.Template, Subject: d.Subject,
	}
}

// SiteOf is what an edition needs to know of the settings of the site.
func SiteOf(c *config.Config) Site {
	return Site{Title: c.Site.Title, URL: c.Site.URL, Language: c.Site.Language, Icon: c.Site.Icon, Postal: c.Mail.Postal}
}

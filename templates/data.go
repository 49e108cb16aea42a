package templates

import (
	"html/template"
	"slices"
	"time"
)

// Digest is the data of a digest's mail template.
type Digest struct {
	Page     // site, language and subject
	Digest   Publication
	Edition  Edition
	Articles []Article // shown in full, in order; at least one
	// Sections are the same articles under their headings. An edition without sections has a single
	// one without a heading.
	Sections []Section
	More     []Link // shown by title only, to limit the size of the mail
	Left     int    // number of articles that are not even in More
	Reader   Reader
	// Intro and Outro are what an editor wrote before and after the articles, as sanitized HTML and as
	// text. They may be empty.
	Intro, Outro         template.HTML
	IntroText, OutroText string
	Sponsor              *Sponsor  // may be nil
	Next                 time.Time // when the next edition is due, in the digest's time zone; zero if unknown
	Feedback             Feedback
	Forward              string // URL of the subscription form, for people to whom the mail was forwarded; may be empty
	Reply                bool   // whether an editor reads replies
	// Web and Subscribe are for templates of earlier versions, which also made the public page of an
	// edition. They are always false and empty.
	Web       bool
	Subscribe string
}

// First returns the first article, for subject lines.
func (d Digest) First() Article {
	if len(d.Articles) == 0 {
		return Article{}
	}
	return d.Articles[0]
}

// Total returns the number of all articles of the edition.
func (d Digest) Total() int { return len(d.Articles) + len(d.More) + d.Left }

// Rest returns the sections without the first article, for templates that show it apart.
func (d Digest) Rest() []Section {
	if len(d.Sections) == 0 {
		return nil
	}
	rest := slices.Clone(d.Sections)
	rest[0].Articles = rest[0].Articles[min(1, len(rest[0].Articles)):]
	return slices.DeleteFunc(rest, func(s Section) bool { return len(s.Articles) == 0 })
}

// Headings returns the sections that have a heading, for a table of contents.
func (d Digest) Headings() []Section {
	return slices.DeleteFunc(slices.Clone(d.Sections), func(s Section) bool { return s.Heading == "" })
}

// Page is the data that all mails have. Its methods, such as Phrase, Count and Date, return text in
// the mail's language.
type Page struct {
	Site      Site
	Language  string // BCP 47, for the lang attribute
	Direction string // "ltr" or "rtl", for the dir attribute
	Subject   string // of the mail
	Preheader string // the line that inboxes show next to the subject
	phrases   *Phrases
}

// Site is the publication that the mail comes from.
type Site struct {
	Title  string
	URL    string
	Icon   string   // URL of a small square picture; may be empty
	Postal []string // lines of the postal address; empty if it is not configured
	Brand  Brand
}

// Publication is the digest that the mail is an edition of.
type Publication struct {
	Name        string // used in URLs and commands
	Title       string
	Description string
}

// Edition is one issue of a digest.
type Edition struct {
	Number int       // 1 for the first
	Date   time.Time // when it was composed, in the digest's time zone
	URL    string    // of its public page, the same for all subscribers; for links to share it
}

// Article is one article of an edition.
type Article struct {
	ID        string
	Title     string
	URL       string // absolute
	Summary   string // plain text; may be empty
	Authors   []string
	Tags      []string
	Published time.Time     // in the digest's time zone
	Language  string        // BCP 47; empty if unknown
	Direction string        // "ltr" or "rtl"
	Image     *Image        // may be nil
	Body      template.HTML // the whole article, sanitized, with absolute URLs
	// Form is how much to show of it: "full", "summary" or "title"; empty if the template decides.
	Form           string
	ReadingMinutes int    // at least 1; 0 if the article has no text
	Portrait       *Image // of its first author; may be nil
	Source         string // title of the publication that it comes from; empty for articles of this site
}

// Full reports whether the article is to be shown with its whole text. byDefault is the answer for an
// article without a form.
func (a Article) Full(byDefault bool) bool {
	return a.Body != "" && (a.Form == "full" || a.Form == "" && byDefault)
}

// Section is a part of an edition: articles under a heading.
type Section struct {
	Key      string // names the section in links within the mail; letters, digits and hyphens
	Heading  string // may be empty
	Form     string // of its articles that have no form of their own; may be empty
	Articles []Article
}

// Pairs returns the articles two by two, for templates with two columns.
func (s Section) Pairs() [][]Article { return slices.Collect(slices.Chunk(s.Articles, 2)) }

// Sponsor is an advertisement in an edition. Templates must show its label.
type Sponsor struct {
	Label string        // what marks it, such as "Advertisement"; empty for the language's word
	HTML  template.HTML // sanitized
	Text  string
	URL   string // may be empty
	Image *Image // may be nil
}

// Feedback has the URLs of the pages where a reader can answer that the edition was of use, or was not.
// Both are empty if a digest does not ask.
type Feedback struct{ Yes, No string }

// Image is the picture of an article.
type Image struct {
	URL           string // absolute
	Alt           string
	Width, Height int // size to show it at, in pixels, at most 536 wide; 0 if unknown
}

// Scaled returns the image as wide as a column, in pixels, with its height in proportion. An image
// of less than half that width keeps its size, since enlarging would blur it.
func (i Image) Scaled(column int) Image {
	switch {
	case i.Width <= 0:
		i.Width, i.Height = column, 0
	case 2*i.Width >= column:
		i.Width, i.Height = column, (i.Height*column+i.Width/2)/i.Width
	}
	return i
}

// Link is an article that is shown by its title only.
type Link struct {
	Title     string
	URL       string
	Language  string
	Direction string
}

// Reader is the subscriber who gets the mail. Each field is a placeholder: a word of letters and digits
// that is replaced by the subscriber's value when the mail is sent. Templates must print it as it is,
// and must not compare, truncate or change it.
type Reader struct {
	Name        string
	Address     string
	Unsubscribe string // URL
	Preferences string // URL
	Web         string // URL of the public page
}

// Align returns the side where the article's lines begin, for the align attribute.
func (a Article) Align() string { return align(a.Direction) }

// Align returns the side where the title begins, for the align attribute.
func (l Link) Align() string { return align(l.Direction) }

func align(direction string) string {
	if direction == "rtl" {
		return "right"
	}
	return "left"
}

// Notice is the data of the mails confirm, welcome, signin and notice. Its fields are values of the
// recipient, not placeholders.
type Notice struct {
	Page
	Digests []Publication // the digests that the mail is about; may be empty
	Name    string        // of the recipient; may be empty
	Address string        // of the recipient
	Link    string        // URL of the button; may be empty in welcome and notice
	Expires time.Time     // when the link stops working; zero if it does not
	Heading string        // of a notice
	Lines   []string      // paragraphs of a notice
	Button  string        // label of a notice's button
	Links   []NoticeLink  // further links of a notice, after the button
	Reader  Reader        // the links of a welcome
}

// NoticeLink is a link of a notice with its text.
type NoticeLink struct {
	Text string
	URL  string
}

// Titles returns the digests' titles, such as "The Daily and The Weekly", or the site's title if there
// are none.
func (n Notice) Titles() string {
	if len(n.Digests) == 0 {
		return n.Site.Title
	}
	titles := make([]string, len(n.Digests))
	for i, d := range n.Digests {
		titles[i] = d.Title
	}
	return n.List(titles)
}

// Greeting returns "Hello Anna," or, without a name, "Hello,".
func (n Notice) Greeting() (string, error) {
	if n.Name == "" {
		return n.Phrase("hello_nobody")
	}
	return n.Phrase("hello", n.Name)
}

// The String methods are for templates that print a whole struct, such as {{.}}. Without them the
// output would contain pointer addresses, which differ on every node.

// String returns the digest's title.
func (d Digest) String() string { return d.Digest.Title }

// String returns the mail's subject.
func (p Page) String() string { return p.Subject }

// String returns the site's title.
func (s Site) String() string { return s.Title }

// String returns the digest's title.
func (p Publication) String() string { return p.Title }

// String returns the article's title.
func (a Article) String() string { return a.Title }

// String returns the article's title.
func (l Link) String() string { return l.Title }

// String returns the section's heading.
func (s Section) String() string { return s.Heading }

// String returns the sponsor's text.
func (s Sponsor) String() string { return s.Text }

// String returns the URL of the page for a positive answer.
func (f Feedback) String() string { return f.Yes }

// String returns the name of the publication's page elsewhere.
func (p Profile) String() string { return p.Name }

// String returns the person's name.
func (p Person) String() string { return p.Name }

// String returns the accent color.
func (c Colors) String() string { return c.Accent }

// String returns the URL of the imprint.
func (b Brand) String() string { return b.Imprint }

// String returns the image's URL.
func (i Image) String() string { return i.URL }

// String returns the heading, or the subject if there is none.
func (n Notice) String() string {
	if n.Heading != "" {
		return n.Heading
	}
	return n.Subject
}

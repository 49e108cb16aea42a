package templates

import (
	"html/template"
	"time"
)

// Digest is the data of a digest's mail template.
type Digest struct {
	Page     // site, language and subject
	Digest   Publication
	Edition  Edition
	Articles []Article // shown in full, in order; at least one
	More     []Link    // shown by title only, to limit the size of the mail
	Left     int       // number of articles that are not even in More
	Reader   Reader
	// Web means that the digest is rendered as a public web page, without a limit on its size and
	// without a Reader.
	Web       bool
	Subscribe string // URL of the subscription form; only if Web
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
}

// Image is the picture of an article.
type Image struct {
	URL           string // absolute
	Alt           string
	Width, Height int // size to show it at, in pixels, at most 536 wide; 0 if unknown
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
	Reader  Reader        // the links of a welcome
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

// String returns the image's URL.
func (i Image) String() string { return i.URL }

// String returns the heading, or the subject if there is none.
func (n Notice) String() string {
	if n.Heading != "" {
		return n.Heading
	}
	return n.Subject
}

// Sample returns sample data of a digest in the language of phrases; nil means English. It is used to
// check templates and for previews.
func Sample(phrases *Phrases) Digest {
	at := time.Date(2026, time.November, 27, 8, 0, 0, 0, time.UTC)
	return Digest{
		Page:    samplePage(phrases, "The harbour after the storm"),
		Digest:  Publication{Name: "weekly", Title: "The Weekly", Description: "What we wrote this week."},
		Edition: Edition{Number: 12, Date: at},
		Articles: []Article{
			{
				ID: "a1", Title: "The harbour after the storm", URL: "https://example.org/articles/harbour", Summary: "Boats are back on the water.",
				Authors: []string{"Anna Berg", "Ben Okoye"}, Tags: []string{"harbour"}, Published: at.AddDate(0, 0, -1), Language: "en", Direction: "ltr",
				Image: &Image{URL: "https://example.org/media/harbour.jpg", Alt: "Boats at dawn", Width: 536, Height: 300},
				Body:  template.HTML("<p>Boats are back on the water.</p>"),
			},
			{
				ID: "a2", Title: "الميناء بعد العاصفة", URL: "https://example.org/articles/mina", Published: at.AddDate(0, 0, -2),
				Language: "ar", Direction: "rtl", Image: &Image{URL: "https://example.org/media/mina.jpg"},
			},
			{ID: "a3", Title: "No more than a title", URL: "https://example.org/articles/title", Direction: "ltr"},
		},
		Reader: Reader{Name: "sampleName", Address: "sampleAddress", Unsubscribe: "sampleUnsubscribe", Preferences: "samplePreferences", Web: "sampleWeb"},
	}
}

// SampleNotice returns sample data for the mails other than digests.
func SampleNotice(phrases *Phrases) Notice {
	return Notice{
		Page:    samplePage(phrases, ""),
		Digests: []Publication{{Name: "weekly", Title: "The Weekly", Description: "What we wrote this week."}, {Name: "daily", Title: "The Daily"}},
		Name:    "Anna Berg", Address: "anna@example.org", Link: "https://example.org/confirm/sample",
		Expires: time.Date(2026, time.December, 27, 8, 0, 0, 0, time.UTC),
		Heading: "An edition waits for approval", Lines: []string{"The Weekly, No. 12, has 5 articles.", "It goes to 1,204 subscribers."}, Button: "Look at it",
		Reader: Reader{Unsubscribe: "https://example.org/unsubscribe/sample", Preferences: "https://example.org/preferences/sample"},
	}
}

func samplePage(phrases *Phrases, subject string) Page {
	if phrases == nil {
		phrases = english
	}
	return Page{
		Site:     Site{Title: "The Harbour Post", URL: "https://example.org", Icon: "https://example.org/icon.png", Postal: []string{"The Harbour Post", "1 Quay Street, Port Sample"}},
		Language: phrases.tag.String(), Direction: phrases.Direction,
		Subject: subject, Preheader: "Boats are back on the water.", phrases: phrases,
	}
}

// sampleWithoutOptional returns the data without all that is optional.
func sampleWithoutOptional(data Digest) Digest {
	data.Site.Icon, data.Site.Postal, data.Preheader, data.Digest.Description = "", nil, "", ""
	data.Articles = data.Articles[2:]
	return data
}

// sampleWithMore returns the data of an edition that is too large to show all its articles in full.
func sampleWithMore(data Digest) Digest {
	for _, a := range data.Articles {
		data.More = append(data.More, Link{Title: a.Title, URL: a.URL, Language: a.Language, Direction: a.Direction})
	}
	data.Left = 7
	return data
}

func sampleNoticeWithoutOptional(data Notice) Notice {
	data.Site.Icon, data.Site.Postal, data.Digests = "", nil, nil
	data.Name, data.Expires, data.Reader = "", time.Time{}, Reader{}
	data.Lines, data.Link, data.Button = nil, "", ""
	return data
}

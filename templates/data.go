package templates

import (
	"html/template"
	"time"
)

// Digest is what a digest's mail template is given.
type Digest struct {
	Page     // who sends it, in which language
	Digest   Publication
	Edition  Edition
	Articles []Article // to be shown whole, in order; at least one
	More     []Link    // articles that a mail of bearable size has no room for, by title
	Left     int       // articles for which even the list of titles has no room
	Reader   Reader
	// Web tells that it is rendered as a public web page: without bounds on its size,
	// and without a Reader.
	Web       bool
	Subscribe string // URL of the subscription form, when Web
}

// First is the first article, for subject lines.
func (d Digest) First() Article {
	if len(d.Articles) == 0 {
		return Article{}
	}
	return d.Articles[0]
}

// Total is the number of all articles of the edition, shown whole or not.
func (d Digest) Total() int { return len(d.Articles) + len(d.More) + d.Left }

// Page is what every mail knows of its frame. Its methods Phrase, Count and Date
// speak the mail's language.
type Page struct {
	Site      Site
	Language  string // BCP 47, for the lang attribute
	Direction string // "ltr" or "rtl", for the dir attribute
	Subject   string // of the mail
	Preheader string // the line that inboxes show beside the subject
	phrases   *Phrases
}

// Site is the publication that the mail comes from.
type Site struct {
	Title  string
	URL    string
	Icon   string   // URL of a small square picture; empty when there is none
	Postal []string // lines of the postal address; none when it is not configured
}

// Publication is the digest that the mail is an edition of.
type Publication struct {
	Name        string // in addresses and commands
	Title       string
	Description string
}

// Edition is one issue of a digest.
type Edition struct {
	Number int       // 1 for the first
	Date   time.Time // when it was made, in the digest's time zone
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
	Image     *Image        // nil when there is none
	Body      template.HTML // the whole article, sanitised, with absolute URLs
}

// Image is the picture that stands for an article.
type Image struct {
	URL           string // absolute
	Alt           string
	Width, Height int // pixels as it is to be shown, at most 536 wide; 0 if unknown
}

// Link is an article by its title only.
type Link struct {
	Title     string
	URL       string
	Language  string
	Direction string
}

// Reader is the subscriber whom a mail goes to. Each field is a placeholder, a word of letters
// and digits, in whose place each reader's own value is put when the mail is
// sent: print it as it is, and do not compare, cut or change it.
type Reader struct {
	Name        string
	Address     string
	Unsubscribe string // URL
	Preferences string // URL
	Web         string // URL of the public page
}

// Align is the side where the article's lines begin, for the align attribute.
func (a Article) Align() string { return align(a.Direction) }

// Align is the side where the title begins, for the align attribute.
func (l Link) Align() string { return align(l.Direction) }

func align(direction string) string {
	if direction == "rtl" {
		return "right"
	}
	return "left"
}

// Notice is what the mails other than digests are given: confirm, welcome, signin
// and notice. Its fields are real values, not marks.
type Notice struct {
	Page
	Digests []Publication // that it is about; may be empty
	Name    string        // of the person; may be empty
	Address string        // of the person
	Link    string        // URL of the button; empty for none in welcome and notice
	Expires time.Time     // when the link stops working; zero for never
	Heading string        // of a notice
	Lines   []string      // paragraphs of a notice
	Button  string        // words on the button of a notice
	Reader  Reader        // the links of a welcome
}

// Titles are the digests' titles, such as "The Daily and The Weekly"; the site's
// title when there are none.
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

// Greeting is "Hello Anna," or, for someone without a name, "Hello,".
func (n Notice) Greeting() (string, error) {
	if n.Name == "" {
		return n.Phrase("hello_nobody")
	}
	return n.Phrase("hello", n.Name)
}

// A template that prints a whole struct, such as {{.}}, gets its name. Without
// these methods it would get the addresses of pointers, and other bytes on
// every node.

// String is the digest's title.
func (d Digest) String() string { return d.Digest.Title }

// String is the mail's subject.
func (p Page) String() string { return p.Subject }

// String is the site's title.
func (s Site) String() string { return s.Title }

// String is the digest's title.
func (p Publication) String() string { return p.Title }

// String is the article's title.
func (a Article) String() string { return a.Title }

// String is the article's title.
func (l Link) String() string { return l.Title }

// String is the image's address.
func (i Image) String() string { return i.URL }

// String is the heading, or else the subject.
func (n Notice) String() string {
	if n.Heading != "" {
		return n.Heading
	}
	return n.Subject
}

// Sample is made-up data for a digest in the language of phrases, nil for English.
// Templates are checked with it, and editors of templates can look at it.
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

// SampleNotice is made-up data for the other mails.
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

// sampleWithoutOptional is the data with everything gone that may be missing.
func sampleWithoutOptional(data Digest) Digest {
	data.Site.Icon, data.Site.Postal, data.Preheader, data.Digest.Description = "", nil, "", ""
	data.Articles = data.Articles[2:]
	return data
}

// sampleWithMore is the data of an edition that has no room for all its articles.
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

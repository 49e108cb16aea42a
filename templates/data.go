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
	// Web tells that it is rendered as a web page for everybody: without bounds on its
	// size, and Reader is nobody.
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

// Reader is the one whom a mail goes to. Each field is a mark, a word of letters
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

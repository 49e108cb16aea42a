package digest

import (
	"html"
	"strconv"
	"strings"
)

// Variant is an edition rendered for one set of preferences. The holes in HTML
// and Text are marked by the words in Holes; everything else is frozen.
type Variant struct {
	Edition       string
	Key           string // canonical form of the preferences, "" for everything
	Language      string // of the fixed phrases
	Direction     string // "ltr" or "rtl"
	Subject       string
	HTML          string
	Text          string
	Placeholders  Placeholders `json:"Holes"`
	AnonymousName string       `json:"Nobody"` // what fills the name's placeholder for a reader without a name
	Articles      []string     // ids of all articles it carries, in order
	Shown         int          // how many of them are shown whole; the rest is listed by title, or behind a link
	Warnings      []string     // for the editor, such as that the mail is large
}

// Placeholders are the marks that stand for what differs per recipient. Each is a word
// of ASCII letters and digits that occurs nowhere else in the variant, so that
// it survives every encoding of the message.
type Placeholders struct {
	Name        string // the subscriber's name, or the template's word for nobody in particular
	Address     string
	Unsubscribe string // URL of the page with one button
	Preferences string // URL
	Web         string // URL of the public page
}

// Fill returns the variant as one reader sees it, with values in place of the marks.
// It is for previews; mails are rendered far faster from their compiled message.
func (v Variant) Fill(values Placeholders) Variant {
	if values.Name == "" {
		values.Name = v.AnonymousName
	}
	escape, plain := v.Placeholders.pairs(values, html.EscapeString), v.Placeholders.pairs(values, func(s string) string { return s })
	v.HTML = strings.NewReplacer(escape...).Replace(v.HTML)
	v.Text = strings.NewReplacer(plain...).Replace(v.Text)
	return v
}

// PagePath is the path of the public page with the articles of this variant, which has
// a number within its edition. The variant without preferences has them all.
func (v Variant) PagePath(number int) string {
	if v.Key == "" {
		return PagePath(v.Edition)
	}
	return PagePath(v.Edition) + "/" + strconv.Itoa(number)
}

// All lists the marks, in the order of the struct's fields.
func (h Placeholders) All() []string {
	return []string{h.Name, h.Address, h.Unsubscribe, h.Preferences, h.Web}
}

func (h Placeholders) pairs(values Placeholders, encode func(string) string) []string {
	var out []string
	filled := values.All()
	for i, placeholder := range h.All() {
		if placeholder != "" {
			out = append(out, placeholder, encode(filled[i]))
		}
	}
	return out
}

package digest

import (
	"html"
	"strings"
)

// Variant is an edition rendered for one set of preferences. HTML and Text contain the
// placeholders for what differs per recipient; everything else is frozen.
type Variant struct {
	Edition       string
	Key           string // canonical form of the preferences, "" for everything
	Language      string // of the fixed phrases
	Title         string `json:",omitempty"` // of the digest, in the mail's language; empty for variants of earlier versions
	Subject       string
	HTML          string
	Text          string
	Placeholders  Placeholders `json:"Holes"`
	AnonymousName string       `json:"Nobody"` // value of the name's placeholder for a subscriber without a name
	Articles      []string     // ids of all its articles, in order
	Shown         int          // how many of them are shown whole; the others are listed by title or only linked
	Warnings      []string     // for the editor, such as that the mail is large
}

// Placeholders are strings that are replaced for each recipient. They consist of ASCII letters
// and digits, so that no encoding of the message changes them, and occur nowhere else in the
// variant. The same type holds the values that replace them.
type Placeholders struct {
	Name        string // the subscriber's name, or Variant.AnonymousName
	Address     string
	Unsubscribe string // URL of the unsubscribe page
	Preferences string // URL
	Web         string // URL of the public page
}

// Fill returns the variant with values in place of the placeholders. It is for previews; mails
// are rendered much faster from the compiled message.
func (v Variant) Fill(values Placeholders) Variant {
	if values.Name == "" {
		values.Name = v.AnonymousName
	}
	escape, plain := v.Placeholders.pairs(values, html.EscapeString), v.Placeholders.pairs(values, func(s string) string { return s })
	v.HTML = strings.NewReplacer(escape...).Replace(v.HTML)
	v.Text = strings.NewReplacer(plain...).Replace(v.Text)
	return v
}

// All lists the placeholders, in the order of the fields.
func (p Placeholders) All() []string {
	return []string{p.Name, p.Address, p.Unsubscribe, p.Preferences, p.Web}
}

func (p Placeholders) pairs(values Placeholders, encode func(string) string) []string {
	var out []string
	filled := values.All()
	for i, placeholder := range p.All() {
		if placeholder != "" {
			out = append(out, placeholder, encode(filled[i]))
		}
	}
	return out
}

package digest

import (
	"crypto/sha256"
	"encoding/base32"
	"html"
	"slices"
	"strconv"
	"strings"
)

// placeholderEncoding encodes placeholders as lower case letters and digits, which no encoding of
// mail, HTML or URLs changes.
var placeholderEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newPlaceholders derives the placeholders of a variant from its edition and key, so that every
// node makes the same ones. If the content already contains one, which only an attacker could
// achieve, it derives others.
func newPlaceholders(edition, key string, contains func(word string) bool) Placeholders {
	for attempt := 0; ; attempt++ {
		sum := sha256.Sum256([]byte("tidings marks\x00" + edition + "\x00" + key + "\x00" + strconv.Itoa(attempt)))
		stem := "tdg" + placeholderEncoding.EncodeToString(sum[:15])
		if !contains(stem) {
			return Placeholders{
				Name: stem + "name", Address: stem + "addr",
				Unsubscribe: stem + "unsu", Preferences: stem + "pref", Web: stem + "webe",
			}
		}
	}
}

// contains reports whether a word occurs in anything that a template may print.
func (in Input) contains(word string) bool {
	d, s := in.Definition, in.Site
	if anyContains(word, d.Name, string(d.Title), string(d.Description), string(d.Intro), html.UnescapeString(string(d.Intro)), string(d.Footer), s.text(), in.Subject) ||
		anyContains(word, in.Layout.text(), in.Edits.text(), html.UnescapeString(in.Edits.text())) {
		return true
	}
	for i := range in.Articles {
		a := &in.Articles[i]
		if anyContains(word, a.ID, a.Slug, a.URL, a.Title, a.Summary, a.HTML, a.Language) || anyContains(word, a.Tags...) {
			return true
		}
		if a.Origin != nil && strings.Contains(a.Origin.Title, word) {
			return true
		}
		if a.Image != nil && anyContains(word, a.Image.URL, a.Image.Alt) {
			return true
		}
		for _, author := range a.Authors {
			if anyContains(word, author.Name, author.Portrait) {
				return true
			}
		}
	}
	return false
}

func anyContains(word string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, word) })
}

package words

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/tidings-press/tidings/internal/lru"
)

// Catalogue contains translations by language.
type Catalogue struct {
	languages map[string]*Language // by primary language subtag
}

// Load reads a catalogue: the files LANGUAGE.json, and all files of folders LANGUAGE/. Each is an
// object of translations by English text.
func Load(folder fs.FS) (*Catalogue, error) {
	c := &Catalogue{map[string]*Language{"en": newLanguage("en")}}
	for _, pattern := range []string{"*.json", "*/*.json"} {
		names, err := fs.Glob(folder, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			tag, _, _ := strings.Cut(strings.TrimSuffix(name, path.Ext(name)), "/")
			if err := c.add(folder, name, tag); err != nil {
				return nil, fmt.Errorf("translations in %s: %w", name, err)
			}
		}
	}
	return c, nil
}

func (c *Catalogue) add(folder fs.FS, name, tag string) error {
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return err
	}
	l := c.languages[tag]
	if l == nil {
		l = newLanguage(tag)
		c.languages[tag] = l
	}
	return json.Unmarshal(data, &l.texts)
}

// Has reports whether the catalogue has a language, whatever its region. It always has English.
func (c *Catalogue) Has(tag string) bool { return c.languages[Primary(tag)] != nil }

// In returns a language, whatever its region; English if the catalogue does not have it, or is nil.
func (c *Catalogue) In(tag string) *Language {
	if c == nil {
		return english
	}
	if l := c.languages[Primary(tag)]; l != nil {
		return l
	}
	return c.languages["en"]
}

// Tags returns the languages, English first.
func (c *Catalogue) Tags() []string {
	tags := []string{"en"}
	for tag := range c.languages {
		if tag != "en" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags[1:])
	return tags
}

// Primary returns a language without its region.
func Primary(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
	return tag
}

// NameOf returns the name of a language in that language.
func NameOf(tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return tag
	}
	if name := display.Self.Name(t); name != "" {
		return name
	}
	return tag
}

// The maximum number of cached Accept-Language headers, and the maximum length of one in bytes.
const (
	maxCachedHeaders = 512
	maxHeader        = 300
)

// Chooser chooses one of several languages for a request.
type Chooser struct {
	tags    []string
	matcher language.Matcher
	chosen  *lru.Cache[string, string] // language by Accept-Language header
}

// NewChooser returns a chooser among languages. The first is the default.
func NewChooser(tags []string) *Chooser {
	parsed := make([]language.Tag, len(tags))
	for i, tag := range tags {
		parsed[i] = language.Make(tag)
	}
	chosen := lru.New[string](maxCachedHeaders, func(string) int64 { return 1 }, nil)
	return &Chooser{tags, language.NewMatcher(parsed), chosen}
}

// Choose returns the language that an Accept-Language header prefers (RFC 9110, section 12.5.4), or
// the default.
func (c *Chooser) Choose(accept string) string {
	if len(c.tags) == 1 || accept == "" || len(accept) > maxHeader {
		return c.tags[0]
	}
	if tag, ok := c.chosen.Get(accept); ok {
		return tag
	}
	tag := c.tags[0]
	if wanted, _, err := language.ParseAcceptLanguage(accept); err == nil {
		if _, i, confidence := c.matcher.Match(wanted...); confidence > language.No {
			tag = c.tags[i]
		}
	}
	c.chosen.Put(accept, tag)
	return tag
}

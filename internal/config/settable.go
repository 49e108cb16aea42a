package config

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// Kind is what a setting holds, for forms.
type Kind string

// The kinds of settings.
const (
	KindText     Kind = "text"
	KindLong     Kind = "long"     // a text with line breaks
	KindTexts    Kind = "texts"    // a text, or one per language
	KindNumber   Kind = "number"   // a whole number
	KindDuration Kind = "duration" // such as 24h
	KindSwitch   Kind = "switch"   // true or false
	KindList     Kind = "list"     // of texts
	KindChoice   Kind = "choice"   // one of Choices
	KindColor    Kind = "color"    // #rrggbb, or empty
	KindPicture  Kind = "picture"  // url, alt, width and height
)

// Settable is a key that may be set in the admin, which has a label and a hint for it.
type Settable struct {
	Key     string // with empty brackets for any digest or feed, such as "digests[].schedule"
	Kind    Kind
	Choices []string // of KindChoice
}

// settable lists what may be set in the admin. Listeners, the store, relays, secrets and files are not
// among them.
var settable = []Settable{
	{Key: "site.title"},
	{Key: "site.description"},
	{Key: "site.copyright", Kind: KindText},
	{Key: "site.language"},
	{Key: "site.languages"},
	{Key: "site.timezone"},
	{Key: "site.editor"},
	{Key: "site.webmaster"},
	{Key: "site.index_editions"},
	{Key: "site.icon"},
	{Key: "site.image"},

	{Key: "brand.logo"},
	{Key: "brand.light.accent", Kind: KindColor},
	{Key: "brand.light.on_accent", Kind: KindColor},
	{Key: "brand.light.ink", Kind: KindColor},
	{Key: "brand.light.soft", Kind: KindColor},
	{Key: "brand.light.background", Kind: KindColor},
	{Key: "brand.light.content", Kind: KindColor},
	{Key: "brand.dark.accent", Kind: KindColor},
	{Key: "brand.dark.ink", Kind: KindColor},
	{Key: "brand.dark.background", Kind: KindColor},
	{Key: "brand.dark.content", Kind: KindColor},
	{Key: "brand.heading_font"},
	{Key: "brand.text_font"},
	{Key: "brand.footer"},
	{Key: "brand.imprint"},

	{Key: "mail.postal_address", Kind: KindLong},
	{Key: "mail.owner"},
	{Key: "health.alerts"},

	{Key: "digests[]"},
	{Key: "digests[].status", Kind: KindChoice, Choices: []string{"active", "paused", "archived"}},
	{Key: "digests[].title"},
	{Key: "digests[].description"},
	{Key: "digests[].intro"},
	{Key: "digests[].footer"},
	{Key: "digests[].schedule"},
	{Key: "digests[].timezone"},
	{Key: "digests[].filter.match"},
	{Key: "digests[].filter.tags"},
	{Key: "digests[].filter.authors"},
	{Key: "digests[].filter.languages"},
	{Key: "digests[].filter.search"},
	{Key: "digests[].min_articles"},
	{Key: "digests[].max_articles"},
	{Key: "digests[].prefer", Kind: KindChoice, Choices: []string{"newest", "oldest"}},
	{Key: "digests[].after"},
	{Key: "digests[].order", Kind: KindChoice, Choices: []string{"newest", "oldest", "weight"}},
	{Key: "digests[].lead"},
	{Key: "digests[].template"},
	{Key: "digests[].subject"},
	{Key: "digests[].sender"},
	{Key: "digests[].reply_to"},
	{Key: "digests[].language"},
	{Key: "digests[].feedback"},
	{Key: "digests[].approval", Kind: KindChoice, Choices: []string{"automatic", "manual", "two"}},
	{Key: "digests[].draft_before"},
	{Key: "digests[].at_deadline", Kind: KindChoice, Choices: []string{"send", "hold", "skip"}},
	{Key: "digests[].notify.to", Kind: KindChoice, Choices: []string{"editors", "owners", "none"}},

	{Key: "feeds[]"},
	{Key: "feeds[].title"},
	{Key: "feeds[].description"},
	{Key: "feeds[].filter.match"},
	{Key: "feeds[].filter.tags"},
	{Key: "feeds[].filter.authors"},
	{Key: "feeds[].filter.languages"},
	{Key: "feeds[].filter.search"},
	{Key: "feeds[].limit"},
	{Key: "feeds[].content", Kind: KindChoice, Choices: []string{"full", "summary"}},
	{Key: "feeds[].language"},
}

// MaySet reports whether a key such as "digests[weekly].schedule" may be set in the admin.
func MaySet(key string) bool {
	_, found := SettableOf(key)
	return found
}

// SettableOf returns the description of a key such as "digests[weekly].schedule".
func SettableOf(key string) (Settable, bool) {
	parts := segments(key)
	if parts == nil {
		return Settable{}, false
	}
	pattern := ""
	for _, part := range parts {
		pattern = join(pattern, part.name)
		if part.entry != "" {
			pattern += "[]"
		}
	}
	i := slices.IndexFunc(settable, func(s Settable) bool { return s.Key == pattern })
	if i < 0 {
		return Settable{}, false
	}
	out := settable[i]
	out.Kind = out.kind()
	return out, true
}

// kind returns what a setting holds, by the type of its field if the list does not say it.
func (s Settable) kind() Kind {
	if s.Kind != "" {
		return s.Kind
	}
	of := reflect.TypeFor[Config]()
	for _, part := range strings.Split(s.Key, ".") {
		field := fieldOf(reflect.New(of).Elem(), strings.TrimSuffix(part, "[]"))
		of = field.Type()
		if strings.HasSuffix(part, "[]") {
			of = of.Elem()
		}
	}
	switch of {
	case reflect.TypeFor[Text]():
		return KindTexts
	case reflect.TypeFor[time.Duration]():
		return KindDuration
	case reflect.TypeFor[*Picture]():
		return KindPicture
	}
	switch of.Kind() {
	case reflect.Bool:
		return KindSwitch
	case reflect.Int:
		return KindNumber
	case reflect.Slice:
		return KindList
	}
	return KindText
}

// IsText reports whether the setting holds a text, which may look like a number.
func (s Settable) IsText() bool {
	return s.Kind == KindText || s.Kind == KindLong || s.Kind == KindTexts || s.Kind == KindColor || s.Kind == KindChoice || s.Kind == KindDuration
}

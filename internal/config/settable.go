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

// Settable is a key that may be set in the admin. Labels and hints are in English; the admin translates them.
type Settable struct {
	Key     string // with empty brackets for any digest or feed, such as "digests[].schedule"
	Label   string
	Hint    string
	Kind    Kind
	Choices []string // of KindChoice
}

// settable lists what may be set in the admin. Listeners, the store, relays, secrets and files are not
// among them.
var settable = []Settable{
	{Key: "site.title", Label: "Name of the publication", Hint: "On pages, in feeds and in emails."},
	{Key: "site.description", Label: "Description", Hint: "One sentence about the publication."},
	{Key: "site.copyright", Label: "Copyright line", Hint: "In the feeds, such as © 2026 Example Press.", Kind: KindText},
	{Key: "site.language", Label: "Language", Hint: "A tag such as en or pt-BR."},
	{Key: "site.languages", Label: "Languages of pages", Hint: "Tags, separated by commas. When empty, the site’s language and those of its articles."},
	{Key: "site.timezone", Label: "Timezone", Hint: "A name such as Europe/Paris. Digests that name none use it too."},
	{Key: "site.editor", Label: "Responsible for the content", Hint: "Name <address>"},
	{Key: "site.webmaster", Label: "Responsible for the technology", Hint: "Name <address>"},
	{Key: "site.index_editions", Label: "Search engines may list the web pages of editions"},
	{Key: "site.icon", Label: "Icon", Hint: "Address of a small square picture."},
	{Key: "site.image", Label: "Picture", Hint: "Address of a larger picture, for feeds."},

	{Key: "brand.logo", Label: "Logo", Hint: "In place of the name at the top of emails. A PNG, JPEG or GIF."},
	{Key: "brand.light.accent", Label: "Accent", Hint: "Links, buttons and the band at the top.", Kind: KindColor},
	{Key: "brand.light.on_accent", Label: "Text on the accent", Kind: KindColor},
	{Key: "brand.light.ink", Label: "Text", Kind: KindColor},
	{Key: "brand.light.soft", Label: "Secondary text", Kind: KindColor},
	{Key: "brand.light.background", Label: "Background", Kind: KindColor},
	{Key: "brand.light.content", Label: "Column", Kind: KindColor},
	{Key: "brand.dark.accent", Label: "Accent in dark mode", Hint: "When empty, made from the accent.", Kind: KindColor},
	{Key: "brand.dark.ink", Label: "Text in dark mode", Kind: KindColor},
	{Key: "brand.dark.background", Label: "Background in dark mode", Kind: KindColor},
	{Key: "brand.dark.content", Label: "Column in dark mode", Kind: KindColor},
	{Key: "brand.heading_font", Label: "Fonts of headings", Hint: "Names such as Iowan Old Style, Georgia. The built-in ones follow."},
	{Key: "brand.text_font", Label: "Fonts of text"},
	{Key: "brand.footer", Label: "Footer of emails", Hint: "Lines of text."},
	{Key: "brand.imprint", Label: "Imprint", Hint: "Address of the page that says who publishes the emails."},

	{Key: "mail.postal_address", Label: "Postal address", Hint: "In the footer of each email. Many countries require one.", Kind: KindLong},
	{Key: "mail.owner", Label: "Owner of the list", Hint: "An address; the sender’s when empty."},
	{Key: "health.alerts", Label: "Owners get an email when sending has a problem"},

	{Key: "digests[]", Label: "Digest"},
	{Key: "digests[].status", Label: "Status", Kind: KindChoice, Choices: []string{"active", "paused", "archived"}, Hint: "A paused digest makes no editions on its schedule. An archived one is also not offered to new subscribers."},
	{Key: "digests[].title", Label: "Title"},
	{Key: "digests[].description", Label: "Description", Hint: "One sentence, on the subscription page."},
	{Key: "digests[].intro", Label: "Introduction", Hint: "Markdown before the articles of each email."},
	{Key: "digests[].footer", Label: "Footer", Hint: "Lines of text; the publication’s footer when empty."},
	{Key: "digests[].schedule", Label: "Schedule", Hint: "A cron expression: minute, hour, day of the month, month, day of the week."},
	{Key: "digests[].timezone", Label: "Timezone", Hint: "The publication’s when empty."},
	{Key: "digests[].filter.match", Label: "Tags", Hint: "An expression such as golang AND NOT jobs. All articles when empty."},
	{Key: "digests[].filter.tags", Label: "With one of these tags", Hint: "Separated by commas."},
	{Key: "digests[].filter.authors", Label: "By one of these authors", Hint: "Separated by commas."},
	{Key: "digests[].filter.languages", Label: "In one of these languages", Hint: "Tags such as en, separated by commas."},
	{Key: "digests[].filter.search", Label: "With these words", Hint: "In title, summary or text."},
	{Key: "digests[].min_articles", Label: "At least", Hint: "With fewer new articles, there is no edition."},
	{Key: "digests[].max_articles", Label: "At most", Hint: "Others wait for the next edition."},
	{Key: "digests[].prefer", Label: "When there are more", Kind: KindChoice, Choices: []string{"newest", "oldest"}},
	{Key: "digests[].after", Label: "Let articles ripen", Hint: "Such as 2d: an article waits so long before an edition takes it."},
	{Key: "digests[].order", Label: "Order", Kind: KindChoice, Choices: []string{"newest", "oldest", "weight"}},
	{Key: "digests[].lead", Label: "Tag of the lead", Hint: "The newest article with this tag comes first."},
	{Key: "digests[].template", Label: "Template", Hint: "magazine, letter, brief, digest, or one of your own."},
	{Key: "digests[].subject", Label: "Subject", Hint: "Such as {{.Digest.Title}}: {{.First.Title}}"},
	{Key: "digests[].sender", Label: "Sender", Hint: "Name <address>"},
	{Key: "digests[].reply_to", Label: "Replies go to", Hint: "The sender when empty."},
	{Key: "digests[].language", Label: "Language", Hint: "When empty, each subscriber gets the articles in their own language."},
	{Key: "digests[].feedback", Label: "Ask subscribers if the edition was helpful"},
	{Key: "digests[].approval", Label: "Approval", Kind: KindChoice, Choices: []string{"automatic", "manual", "two"}},
	{Key: "digests[].draft_before", Label: "Draft before", Hint: "Such as 24h: so long before its time, an edition is drafted and sent to the editors as a proof. 0s drafts it at its time."},
	{Key: "digests[].at_deadline", Label: "If approvals are missing at that time", Kind: KindChoice, Choices: []string{"send", "hold", "skip"}},
	{Key: "digests[].notify.to", Label: "Emails about editions go to", Kind: KindChoice, Choices: []string{"editors", "owners", "none"}},

	{Key: "feeds[]", Label: "Feed"},
	{Key: "feeds[].title", Label: "Title", Hint: "The publication’s name when empty."},
	{Key: "feeds[].description", Label: "Description", Hint: "One sentence about the feed."},
	{Key: "feeds[].filter.match", Label: "Tags", Hint: "An expression such as golang AND NOT jobs. All articles when empty."},
	{Key: "feeds[].filter.tags", Label: "With one of these tags", Hint: "Separated by commas."},
	{Key: "feeds[].filter.authors", Label: "By one of these authors", Hint: "Separated by commas."},
	{Key: "feeds[].filter.languages", Label: "In one of these languages", Hint: "Tags such as en, separated by commas."},
	{Key: "feeds[].filter.search", Label: "With these words", Hint: "In title, summary or text."},
	{Key: "feeds[].limit", Label: "Articles", Hint: "Number of articles in the newest document, 1 to 1000."},
	{Key: "feeds[].content", Label: "Content", Kind: KindChoice, Choices: []string{"full", "summary"}},
	{Key: "feeds[].language", Label: "Language"},
}

// SettableKeys returns the keys that may be set in the admin and that begin with a prefix, such as
// "site." or "digests[].".
func SettableKeys(prefix string) []Settable {
	var out []Settable
	for _, s := range settable {
		if strings.HasPrefix(s.Key, prefix) && s.Key != strings.TrimSuffix(prefix, ".") {
			s.Kind = s.kind()
			out = append(out, s)
		}
	}
	return out
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

package templates

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Phrases are the fixed texts of the mails in one language.
type Phrases struct {
	tag       language.Tag
	Direction string            `yaml:"direction"`
	LongDate  string            `yaml:"date"`
	ShortDate string            `yaml:"short_date"`
	FirstDay  string            `yaml:"first_day"` // the first day of a month, such as "1er"; may be empty
	Months    []string          `yaml:"months"`
	Weekdays  []string          `yaml:"weekdays"` // Sunday first
	List      listWords         `yaml:"list"`
	Texts     map[string]string `yaml:"phrases"`
	// Counts are phrases with a number, by plural form.
	Counts map[string]map[string]string `yaml:"counts"`
}

type listWords struct {
	Comma string `yaml:"comma"`
	Last  string `yaml:"last"`
}

// parsePhrases reads the file of a language. It must have all phrases of want, unless want is nil.
func parsePhrases(file string, data []byte, lang string, want *Phrases) (*Phrases, error) {
	tag, err := language.Parse(lang)
	if err != nil {
		return nil, &Error{File: file, What: fmt.Sprintf("%q is not a language", lang),
			Fix: "a language tag as the file's name, such as es.yaml or pt-BR.yaml"}
	}
	p := &Phrases{tag: tag}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(p); err != nil {
		return nil, yamlError(file, err)
	}
	if what, fix := p.missing(want); what != "" {
		return nil, &Error{File: file, What: what, Fix: fix}
	}
	return p, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

func yamlError(file string, err error) error {
	e := &Error{File: file, What: err.Error(), Fix: "the shape of the built-in phrases/en.yaml"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.What = m[2]
	}
	return e
}

// missing returns what is missing or wrong in the phrases and how to fix it.
func (p *Phrases) missing(want *Phrases) (what, fix string) {
	switch {
	case p.Direction != "ltr" && p.Direction != "rtl":
		return fmt.Sprintf("direction is %q", p.Direction), `"ltr" or "rtl"`
	case len(p.Months) != 12:
		return fmt.Sprintf("%d months", len(p.Months)), "twelve, January first"
	case len(p.Weekdays) != 7:
		return fmt.Sprintf("%d weekdays", len(p.Weekdays)), "seven, Sunday first"
	case p.LongDate == "" || p.ShortDate == "":
		return "date or short_date is missing", `a pattern such as "{day} {month} {year}"`
	}
	for key, forms := range p.Counts {
		if forms["other"] == "" {
			return "counts: " + key + " has no form \"other\"", "the form that fits when no other does"
		}
	}
	if want == nil {
		return "", ""
	}
	return p.missingWords(want)
}

// optionalPhrases were added after the first release. Files without them stay valid and get the English
// phrases.
var optionalPhrases = []string{
	"public", "subscribe", "watch", "listen", "forwarded", "share", "reply", "feedback", "feedback_yes", "feedback_no",
	"next", "sponsor", "contents", "imprint", "via", "minutes",
}

func (p *Phrases) missingWords(want *Phrases) (what, fix string) {
	for _, key := range slices.Sorted(maps.Keys(want.Texts)) {
		if p.Texts[key] == "" && !slices.Contains(optionalPhrases, key) {
			return "phrases: " + key + " is missing", fmt.Sprintf("a translation of %q", want.Texts[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want.Counts)) {
		if p.Counts[key] == nil && !slices.Contains(optionalPhrases, key) {
			return "counts: " + key + " is missing", fmt.Sprintf("a translation of %q", want.Counts[key]["other"])
		}
	}
	return "", ""
}

// phrase returns a phrase with args in place of {0}, {1} and so on.
func (p *Phrases) phrase(key string, args []string) (string, error) {
	text, ok := p.Texts[key]
	if !ok && slices.Contains(optionalPhrases, key) {
		text, ok = english.Texts[key]
	}
	if !ok {
		return "", fmt.Errorf("no phrase %q; there are: %s", key, strings.Join(slices.Sorted(maps.Keys(p.Texts)), ", "))
	}
	return fillIn(text, args), nil
}

// fillIn replaces {0}, {1} and so on by the arguments, in one pass, so that braces in an argument are
// not replaced.
func fillIn(text string, args []string) string {
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", arg)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// count returns a phrase with a number, in the language's plural form for it.
func (p *Phrases) count(key string, n int) (string, error) {
	forms, ok := p.Counts[key]
	if !ok && slices.Contains(optionalPhrases, key) {
		p = english
		forms, ok = p.Counts[key]
	}
	if !ok {
		return "", fmt.Errorf("no count %q; there are: %s", key, strings.Join(slices.Sorted(maps.Keys(p.Counts)), ", "))
	}
	text := forms[pluralNames[plural.Cardinal.MatchPlural(p.tag, n, 0, 0, 0, 0)]]
	if text == "" {
		text = forms["other"]
	}
	return strings.ReplaceAll(text, "{n}", strconv.Itoa(n)), nil
}

var pluralNames = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two",
	plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

func (p *Phrases) date(pattern string, t time.Time) string {
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 && p.FirstDay != "" {
		day = p.FirstDay
	}
	return strings.NewReplacer(
		"{weekday}", p.Weekdays[t.Weekday()], "{day}", day, "{month}", p.Months[t.Month()-1],
		"{number}", strconv.Itoa(int(t.Month())), "{year}", strconv.Itoa(t.Year()),
	).Replace(pattern)
}

// join joins names, such as "Anna, Ben and Carla".
func (p *Phrases) join(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], p.List.Comma) + p.List.Last + names[last]
}

// english are the built-in English phrases, for pages that no Set made.
var english, _ = builtInEnglish()

// builtInEnglish parses the built-in English phrases. Its error would be a fault of the build, which a
// test finds.
func builtInEnglish() (*Phrases, error) {
	data, err := builtIn.ReadFile("phrases/en.yaml")
	if err != nil {
		return nil, err
	}
	return parsePhrases("built-in phrases/en.yaml", data, "en", nil)
}

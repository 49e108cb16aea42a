package words

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Limits of recognized texts.
const (
	maxRecognized  = 4000 // bytes
	maxNested      = 4    // texts in texts
	leastLetters   = 6    // of a text beside its placeholders
	englishFullDay = "2 January 2006"
)

// pattern is an English text with placeholders as the parts between them.
type pattern struct {
	text     string
	literals []string // around the placeholders
	order    []int    // the number of each placeholder
	letters  int      // of the literals
}

var (
	placeholders = regexp.MustCompile(`\{(\d)\}`)
	wholeNumber  = regexp.MustCompile(`^\d{1,3}(,\d{3})+$`)
)

// Recognize translates an English text that was stored, such as the reason of a skipped edition: it
// finds the text of the catalogue of which it was made, and what replaces {0}, {1} and so on.
// Texts that it does not recognize stay in English.
func (l *Language) Recognize(text string) string { return l.recognize(text, 0) }

func (l *Language) recognize(text string, depth int) string {
	if translation, ok := l.texts[text]; ok {
		return translation
	}
	if len(text) > maxRecognized || depth == maxNested || len(l.texts) == 0 {
		return text
	}
	for _, p := range l.patterns() {
		args, ok := p.match(text)
		if !ok {
			continue
		}
		for i, arg := range args {
			args[i] = l.recognizeArg(arg, depth+1)
		}
		return fill(l.translation(p.text), args)
	}
	return text
}

// recognizeArg translates what stood in place of a placeholder: a date, a number with separators, or a text.
func (l *Language) recognizeArg(arg string, depth int) string {
	if day, err := time.Parse(englishFullDay, arg); err == nil {
		return l.FullDay(day)
	}
	if wholeNumber.MatchString(arg) && l.Tag != "en" {
		return strings.ReplaceAll(arg, ",", strings.Trim(l.Number(1000), "01"))
	}
	return l.recognize(arg, depth)
}

// newPatterns returns the patterns of English texts, those with the most letters first.
func newPatterns(texts map[string]string) []pattern {
	var out []pattern
	for text := range texts {
		found := placeholders.FindAllStringSubmatchIndex(text, -1)
		p := pattern{text: text}
		end := 0
		for _, at := range found {
			n := int(text[at[2]] - '0')
			if slices.Contains(p.order, n) {
				p.order = nil
				break
			}
			p.order, p.literals = append(p.order, n), append(p.literals, text[end:at[0]])
			end = at[1]
		}
		p.literals = append(p.literals, text[end:])
		for _, literal := range p.literals {
			for _, r := range literal {
				if unicode.IsLetter(r) {
					p.letters++
				}
			}
		}
		if len(p.order) > 0 && p.letters >= leastLetters {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.letters, a.letters), cmp.Compare(a.text, b.text))
	})
	return out
}

// match returns what replaces {0}, {1} and so on if the text was made of the pattern.
func (p pattern) match(text string) ([]string, bool) {
	last := len(p.literals) - 1
	rest, ok := strings.CutPrefix(text, p.literals[0])
	if !ok {
		return nil, false
	}
	if rest, ok = strings.CutSuffix(rest, p.literals[last]); !ok {
		return nil, false
	}
	args := make([]string, slices.Max(p.order)+1)
	for i, n := range p.order {
		if i == last-1 {
			args[n] = rest
			break
		}
		if args[n], rest, ok = strings.Cut(rest, p.literals[i+1]); !ok {
			return nil, false
		}
	}
	return args, true
}

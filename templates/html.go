package templates

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/vanng822/go-premailer/premailer"
)

// conditionalComment are the comments by which Outlook is told what others must not see,
// in their three forms: the opening and the closing of what others do see, and the
// whole of what only Outlook sees.
var conditionalComment = regexp.MustCompile(`<!--\[if [^\]]*\]><!-->|<!--<!\[endif\]-->|<!--\[if (?s:.*?)<!\[endif\]-->`)

var indentation = regexp.MustCompile(`(?m)^[ \t]+`)

// liftConditionals makes the source of an HTML template ready for html/template, which drops
// every comment: conditional comments are lifted out, and a call that marks their
// place is put there. Indentation goes as well, since Gmail counts its bytes.
// Lines keep their numbers.
func liftConditionals(file, source string, lifted *[]string) (string, error) {
	if at := actionInConditional(source); at >= 0 {
		return "", &Error{
			File: file, Line: 1 + strings.Count(source[:at], "\n"),
			What: "an action inside a conditional comment",
			Fix:  "plain markup only: close the comment before {{ and open another after it",
		}
	}
	source = conditionalComment.ReplaceAllStringFunc(source, func(comment string) string {
		*lifted = append(*lifted, indentation.ReplaceAllString(comment, ""))
		// Line breaks inside an action keep the line numbers of what follows.
		return "{{conditional " + strconv.Itoa(len(*lifted)-1) + strings.Repeat("\n", strings.Count(comment, "\n")) + "}}"
	})
	return indentation.ReplaceAllString(source, ""), nil
}

func actionInConditional(source string) int {
	for _, span := range conditionalComment.FindAllStringIndex(source, -1) {
		if at := strings.Index(source[span[0]:span[1]], "{{"); at >= 0 {
			return span[0] + at
		}
	}
	return -1
}

// conditional marks the place of a lifted comment by a comment of our own. It is
// put back by restore only after the styles are inlined: the HTML library that
// does it would write "&nbsp;" in a comment as "&amp;nbsp;".
func conditional(i int) template.HTML {
	return template.HTML(conditionalMark(i))
}

func conditionalMark(i int) string { return "<!--conditional " + strconv.Itoa(i) + "-->" }

// restoreConditionals puts the lifted comments back. Nothing that is filled in can pose as
// their places: its "<" is escaped, and articles' HTML has no comments.
func restoreConditionals(page string, lifted []string) string {
	if len(lifted) == 0 {
		return page
	}
	pairs := make([]string, 0, 2*len(lifted))
	for i, comment := range lifted {
		pairs = append(pairs, conditionalMark(i), comment)
	}
	return strings.NewReplacer(pairs...).Replace(page)
}

// keepStyle is how a template marks the style element that must stay as it is,
// for what cannot be put into elements: media queries, dark mode and the
// [data-ogsc] rules of Outlook's apps.
const keepStyle = `<style data-premailer="ignore"`

// inline moves the rules of all other style elements into the elements' style
// attributes, since several mail programs drop or cut style elements.
func inline(page string) (out string, err error) {
	// The CSS parser below is a stranger to us and templates are written by hand: a
	// panic of it is one template's fault, not the end of the service.
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the styles could not be inlined: %v", fault)
		}
	}()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		return "", fmt.Errorf("the HTML could not be read: %w", err)
	}
	out, err = premailer.NewPremailer(doc, premailer.NewOptions()).Transform()
	if err != nil {
		return "", fmt.Errorf("the styles could not be inlined: %w", err)
	}
	// In text a "<" is escaped, so that this only ever meets the element itself.
	return strings.ReplaceAll(out, keepStyle, "<style"), nil
}

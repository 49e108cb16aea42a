package templates

import (
	"fmt"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/vanng822/go-premailer/premailer"
)

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

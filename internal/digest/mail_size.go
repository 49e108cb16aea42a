package digest

import (
	"fmt"

	"github.com/tidings-press/tidings/templates"
)

// Limits of a mail's HTML and of its text, in bytes. Gmail cuts mails off at 102 KB, and the
// unsubscribe link with it. placeholderBytes is reserved for the values of the placeholders, which
// are longer than the placeholders.
const (
	WarnBytes        = 80_000
	MaxBytes         = 102_000
	placeholderBytes = 4_000
)

// maxTitles bounds the list of articles that are shown by title only.
const maxTitles = 30

// extent is how much of a variant a mail shows.
type extent struct {
	whole  int  // articles shown whole
	titles int  // the next ones, by title
	bodies bool // whether whole articles include their bodies, for templates that show them
}

// newExtent returns the extent that shows n articles whole and lists those that follow by title.
func newExtent(n, total int, bodies bool) extent {
	return extent{whole: n, titles: min(total-n, maxTitles), bodies: bodies}
}

// trim renders as many articles whole as fit in a mail. It estimates the number from the size of
// each try, so that a few tries suffice even for a thousand articles. If a single article is too
// large, it leaves out the bodies.
func trim(total int, render func(extent) (templates.Rendered, error)) (templates.Rendered, extent, error) {
	out, shown, err := fit(total, true, render)
	if err != nil || max(len(out.HTML), len(out.Text))+placeholderBytes <= MaxBytes {
		return out, shown, err
	}
	return fit(total, false, render)
}

// firstTry is about the number of articles that fit in a mail.
const firstTry = 40

// fit returns the rendering with the most articles that is found to fit, or a single article if
// none fits.
func fit(total int, bodies bool, render func(extent) (templates.Rendered, error)) (best templates.Rendered, shown extent, err error) {
	most := total // more are known not to fit
	for n := min(total, firstTry); ; {
		tried := newExtent(n, total, bodies)
		out, err := render(tried)
		if err != nil {
			return out, tried, err
		}
		size := max(len(out.HTML), len(out.Text)) + placeholderBytes
		if size > MaxBytes && n > 1 {
			most = n - 1
			if n = max(1, min(n-1, n*(MaxBytes-10_000)/size)); n <= shown.whole {
				return best, shown, nil
			}
			continue
		}
		best, shown = out, tried
		more := min(most, n*(MaxBytes-6_000)/size)
		if size > WarnBytes || more <= n {
			return best, shown, nil
		}
		n = more
	}
}

// warnings returns what an editor should know about a variant's size.
func warnings(size int, shown extent, total int) []string {
	var out []string
	if shown.whole < total {
		out = append(out, fmt.Sprintf("%d of %d articles are shown whole; the others are on the web, since mails over 102 KB are cut off by Gmail", shown.whole, total))
	}
	switch size += placeholderBytes; {
	case size > MaxBytes:
		out = append(out, fmt.Sprintf("the mail has %d KB and will be cut off by Gmail; its template alone is too large", size/1000))
	case size > WarnBytes:
		out = append(out, fmt.Sprintf("the mail has %d KB; from 102 KB on Gmail cuts mails off", size/1000))
	}
	if !shown.bodies {
		out = append(out, "the articles' bodies were left out, since a single one exceeds the limit of a mail")
	}
	return out
}

package digest

import (
	"fmt"

	"github.com/tidings-press/tidings/templates"
)

// Sizes of a mail's HTML, and of its text, in bytes. Gmail cuts a mail off at 102 KB, with its
// unsubscribe link, and each hole grows by a URL when it is filled.
const (
	WarnBytes        = 80_000
	MaxBytes         = 102_000
	placeholderBytes = 4_000
)

// maxTitles bounds the list of what is not shown whole; nobody reads a longer one.
const maxTitles = 30

// extent says how much of a variant a mail shows.
type extent struct {
	whole  int  // articles shown whole
	titles int  // the next ones, by title
	bodies bool // the whole ones with their bodies, for templates that print them
	web    bool // as a web page
}

// newExtent returns the cut that shows n articles whole and lists those that follow.
func newExtent(n, total int, bodies bool) extent {
	return extent{whole: n, titles: min(total-n, maxTitles), bodies: bodies}
}

// trim renders as many articles whole as a mail has room for. Each size tells how many
// to try next, so that a few tries do even for a thousand articles.
func trim(total int, render func(extent) (templates.Rendered, error)) (templates.Rendered, extent, error) {
	out, shown, err := fit(total, true, render)
	if err != nil || max(len(out.HTML), len(out.Text))+placeholderBytes <= MaxBytes {
		return out, shown, err
	}
	return fit(total, false, render)
}

// firstTry is about what a mail has room for.
const firstTry = 40

// fit returns the fullest rendering found that is small enough, or that of a single
// article when none is.
func fit(total int, bodies bool, render func(extent) (templates.Rendered, error)) (best templates.Rendered, shown extent, err error) {
	most := total // above it is known not to fit
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

// warnings are what an editor should know of a variant's size.
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
		out = append(out, "the articles' bodies were left out, since a single one is more than a mail can hold")
	}
	return out
}

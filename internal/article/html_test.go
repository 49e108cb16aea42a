package article_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

func TestSrcsetIsParsedAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for srcset, want := range map[string]string{
		"a.png":                             "<a.png>",
		"a.png 1x, b.png 2x":                "<a.png> 1x, <b.png> 2x",
		"a.png 1x,b.png 2x":                 "<a.png> 1x, <b.png> 2x",
		"a.png 640w,\n\tb.png\t1280w  480h": "<a.png> 640w, <b.png> 1280w 480h",
		"a,b.png 1x, w_4,c_limit/c.png 2x":  "<a,b.png> 1x, <w_4,c_limit/c.png> 2x",
		"a.png, b.png 1.5x":                 "<a.png>, <b.png> 1.5x",
		"a.png,, ,b.png,":                   "<a.png>, <b.png>",
		"a.png,b.png":                       "<a.png,b.png>", // one URL
		"a.png 1x (x, 2x), b.png":           "<b.png>",       // what stands in parentheses is skipped with its candidate
		"a.png wide, b.png 1e3w, c.png -1x": "<b.png> 1e3w",
		", ,":                               "",
		"drop.png 1x, b.png 2x":             "<b.png> 2x",
	} {
		got := article.MapSrcset(srcset, func(link string) string {
			if link == "drop.png" {
				return ""
			}
			return "<" + link + ">"
		})
		if got != want {
			t.Errorf("%q becomes %q, want %q", srcset, got, want)
		}
	}
}

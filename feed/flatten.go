package feed

import (
	"strings"

	"golang.org/x/net/html"
)

// endsItself are the elements that end where another of their kind begins.
var endsItself = set(`dd dt li option p rp rt tbody td tfoot th thead tr`)

// flatten drops the tags that stand more than depth deep, those of links and
// paragraphs apart, which end each other. Text stays, and so do pictures.
func flatten(raw string, depth int) string {
	f := flattener{depth: depth, count: map[string]int{}}
	f.out.Grow(len(raw))
	for z := html.NewTokenizer(strings.NewReader(raw)); ; {
		kind := z.Next()
		tag := z.Raw()
		if kind == html.ErrorToken {
			return f.out.String()
		}
		name := ""
		if kind == html.StartTagToken || kind == html.EndTagToken || kind == html.SelfClosingTagToken {
			read, _ := z.TagName()
			name = string(read)
		}
		switch {
		case name == "" || void[name] || kind == html.StartTagToken && f.start(name) || kind == html.EndTagToken && f.end(name):
			f.out.Write(tag)
		default:
			f.out.WriteByte(' ')
		}
	}
}

type flattener struct {
	out   strings.Builder
	depth int
	open  []opened
	count map[string]int // of those that are open, by name
}

type opened struct {
	name    string
	written bool
}

// start opens an element and reports whether its tag is written.
func (f *flattener) start(name string) bool {
	if n := len(f.open); n > 0 && f.open[n-1].name == name && endsItself[name] {
		f.pop()
	}
	written := len(f.open) < f.depth || name == "a" || name == "p" || removed[name]
	f.open = append(f.open, opened{name, written})
	f.count[name]++
	return written
}

// end closes an element, with those that are open in it, and reports whether its
// tag is written. Each element is looked at once.
func (f *flattener) end(name string) bool {
	if f.count[name] == 0 {
		return false
	}
	for {
		if top := f.pop(); top.name == name {
			return top.written
		}
	}
}

func (f *flattener) pop() opened {
	top := f.open[len(f.open)-1]
	f.open = f.open[:len(f.open)-1]
	f.count[top.name]--
	return top
}

// Package diff compares two versions of a text: line by line, and within changed lines word by word.
// Start with Lines.
package diff

import (
	"strings"
	"unicode"
)

// Kind is what happened to a line.
type Kind string

// The kinds of lines.
const (
	Same    Kind = "same"
	Added   Kind = "added"
	Removed Kind = "removed"
	Skipped Kind = "skipped" // stands for unchanged lines that are not shown
)

// Line is a line of a comparison. Its parts together are the line.
type Line struct {
	Kind  Kind
	Parts []Part
	Count int // of the lines that Skipped stands for
}

// Part is a part of a line.
type Part struct {
	Text    string
	Changed bool // the other version of the line lacks it
}

// shownAround is how many unchanged lines are shown before and after a change.
const shownAround = 2

// Lines returns the lines of two texts with their differences. It returns nothing if the texts are the
// same. Unchanged lines away from changes are left out.
func Lines(before, after string) []Line {
	a, b := split(before), split(after)
	var out []Line
	changed := false
	x := 0
	for _, e := range compare(a, b) {
		changed = true
		out = appendSame(out, a[x:e.oldFrom])
		out = append(out, replaced(a[e.oldFrom:e.oldTo], b[e.newFrom:e.newTo])...)
		x = e.oldTo
	}
	if !changed {
		return nil
	}
	return shorten(appendSame(out, a[x:]))
}

// split returns the lines of a text.
func split(text string) []string {
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func appendSame(out []Line, lines []string) []Line {
	for _, text := range lines {
		out = append(out, Line{Kind: Same, Parts: []Part{{Text: text}}})
	}
	return out
}

// replaced returns the lines of a change. Each removed line is compared with the added one in its
// place.
func replaced(before, after []string) []Line {
	removed, added := make([]Line, len(before)), make([]Line, len(after))
	for i, text := range before {
		removed[i] = Line{Kind: Removed, Parts: []Part{{Text: text, Changed: true}}}
	}
	for i, text := range after {
		added[i] = Line{Kind: Added, Parts: []Part{{Text: text, Changed: true}}}
	}
	for i := range min(len(before), len(after)) {
		removed[i].Parts, added[i].Parts = compareWords(before[i], after[i])
	}
	return append(removed, added...)
}

// compareWords returns the parts of two versions of a line. Lines that share less than a third of their
// words are different lines.
func compareWords(before, after string) (old, new []Part) {
	a, b := words(before), words(after)
	x, shared := 0, 0
	var y int
	for _, e := range compare(a, b) {
		shared += e.oldFrom - x
		old = appendPart(appendPart(old, a[x:e.oldFrom], false), a[e.oldFrom:e.oldTo], true)
		new = appendPart(appendPart(new, b[y:e.newFrom], false), b[e.newFrom:e.newTo], true)
		x, y = e.oldTo, e.newTo
	}
	shared += len(a) - x
	if 3*shared < max(len(a), len(b)) {
		return []Part{{before, true}}, []Part{{after, true}}
	}
	return appendPart(old, a[x:], false), appendPart(new, b[y:], false)
}

func appendPart(parts []Part, words []string, changed bool) []Part {
	if len(words) == 0 {
		return parts
	}
	return append(parts, Part{strings.Join(words, ""), changed})
}

// words splits a line into words and what is between them.
func words(line string) []string {
	var out []string
	start, inWord := 0, false
	for i, r := range line {
		word := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		if i > start && !(word && inWord) {
			out = append(out, line[start:i])
			start = i
		}
		inWord = word
	}
	if start < len(line) {
		out = append(out, line[start:])
	}
	return out
}

// shorten replaces runs of unchanged lines by one Skipped line.
func shorten(lines []Line) []Line {
	near := make([]bool, len(lines))
	for i := range lines {
		if lines[i].Kind == Same {
			continue
		}
		for j := max(0, i-shownAround); j <= min(len(lines)-1, i+shownAround); j++ {
			near[j] = true
		}
	}
	var out []Line
	for i, line := range lines {
		switch n := len(out); {
		case near[i]:
			out = append(out, line)
		case n > 0 && out[n-1].Kind == Skipped:
			out[n-1].Count++
		default:
			out = append(out, Line{Kind: Skipped, Count: 1})
		}
	}
	return out
}

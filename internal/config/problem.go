package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/words"
)

// Problem is one error in the file.
type Problem struct {
	File string
	Line int    // 0 for the whole file
	Key  string // path of the key, such as "digests[0].schedule"
	What string // what is wrong
	Fix  string // how to fix it; may be empty

	one bool // What and Fix are the parts of one text, which is translated as a whole
}

func (p Problem) Error() string {
	var out strings.Builder
	out.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&out, ":%d", p.Line)
	}
	out.WriteString(": ")
	if p.Key != "" {
		out.WriteString(p.Key + ": ")
	}
	out.WriteString(p.What)
	if p.Fix != "" {
		out.WriteString("; " + p.Fix)
	}
	return out.String()
}

// Text returns what is wrong and how to fix it, for pages.
func (p Problem) Text() words.Text {
	switch {
	case p.Fix == "":
		return words.T("{0}", words.Stored(p.What))
	case p.one:
		return words.T("{0}", words.Stored(p.What+"; "+p.Fix))
	}
	return words.T("{0}; {1}", words.Stored(p.What), words.Stored(p.Fix))
}

// maxWhat bounds the text of what is wrong in bytes, since it may quote a whole value.
const maxWhat = 500

// shortened returns what is wrong without the middle of a long quoted value.
func shortened(what string) string {
	if len(what) <= maxWhat {
		return what
	}
	return strings.ToValidUTF8(what[:maxWhat/2], "") + " … " + strings.ToValidUTF8(what[len(what)-maxWhat/2:], "")
}

// Problems are all errors in a file, by line, as returned by Load.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the problems by line, each once.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key)) })
	return slices.Compact(p)
}

// nearest returns the name that is most similar to a word, or "" if none is similar.
func nearest(word string, names []string) string {
	best, least := "", max(2, len(word)/3)+1
	for _, name := range names {
		if len(word)-len(name) >= least || len(name)-len(word) >= least { // each letter more is a change
			continue
		}
		if d := distance(word, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance returns the number of letters to change, add, drop or swap (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

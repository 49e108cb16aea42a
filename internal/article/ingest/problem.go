package ingest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Problem is an error or warning about a file: what is wrong, where, and how to fix it.
type Problem struct {
	File string
	Line int // counted from 1; 0 if the problem has no line
	What string
	Fix  string // what to write instead; may be empty
}

// Error returns "file:line: what; fix".
func (p *Problem) Error() string { return p.location() + ": " + p.text() }

func (p *Problem) location() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return p.File
}

func (p *Problem) text() string {
	if p.Fix == "" {
		return p.What
	}
	return p.What + "; " + p.Fix
}

// Group holds the problems with one cause.
type Group struct {
	Problems []*Problem // in the order in which they were found
}

// varying matches the parts in which problems with the same cause differ: quoted values, numbers
// and file names.
var varying = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+\.(?i:png|jpe?g|gif|webp|avif|svg|ico|pdf|mp3|m4a|mp4|webm|mdx?|html?|txt)\b|\d+`)

// GroupProblems groups problems by cause, the most frequent cause first.
func GroupProblems(problems []*Problem) []Group {
	index := map[string]int{}
	var out []Group
	for _, p := range problems {
		cause := varying.ReplaceAllString(p.What, "…") + "\x00" + p.Fix
		i, known := index[cause]
		if !known {
			i = len(out)
			index[cause] = i
			out = append(out, Group{})
		}
		out[i].Problems = append(out[i].Problems, p)
	}
	slices.SortStableFunc(out, func(a, b Group) int { return len(b.Problems) - len(a.Problems) })
	return out
}

// String returns the group on one line: the message of a single problem, or the number of
// problems, the message of the first and the locations of the first three.
func (g Group) String() string {
	first := g.Problems[0]
	if len(g.Problems) == 1 {
		return first.Error()
	}
	const most = 3
	var places []string
	for _, p := range g.Problems[:min(len(g.Problems), most)] {
		places = append(places, p.location())
	}
	more := ""
	if left := len(g.Problems) - most; left > 0 {
		more = fmt.Sprintf(" and %d more", left)
	}
	return fmt.Sprintf("%d times: %s (%s%s)", len(g.Problems), first.text(), strings.Join(places, ", "), more)
}

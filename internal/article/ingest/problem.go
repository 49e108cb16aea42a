package ingest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Problem says what is wrong with a file, where, and how to fix it.
type Problem struct {
	File string
	Line int // 1 for the first; 0 when no line is to blame
	What string
	Fix  string `json:"Right"` // what to write instead; may be empty
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

// Group is problems of one cause.
type Group struct {
	Problems []*Problem // in the order in which they were found
}

// varying matches what differs between two problems of one cause: quoted values and
// numbers, and the names of files.
var varying = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\d+|\S+\.(?i:png|jpe?g|gif|webp|avif|svg|ico|pdf|mp3|m4a|mp4|webm|md|html?)\b`)

// GroupProblems gathers the problems of one cause, the most frequent cause first.
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

// String returns one line for a single problem, else the number of problems, the places of
// the first three and the message of the first.
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

package ingest

import "fmt"

// Problem says what is wrong with a file, where, and what would be right.
type Problem struct {
	File  string
	Line  int // 1 for the first; 0 when no line is to blame
	What  string
	Right string // what to write instead; may be empty
}

// Error returns "file:line: what; right".
func (p *Problem) Error() string {
	out := p.File
	if p.Line > 0 {
		out += fmt.Sprintf(":%d", p.Line)
	}
	out += ": " + p.What
	if p.Right != "" {
		out += "; " + p.Right
	}
	return out
}

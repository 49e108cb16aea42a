package article

import (
	"slices"
	"strings"
)

// Filter selects articles by a boolean expression. The zero value selects all articles.
type Filter struct {
	Expr Node // nil selects all articles
}

// Node is one part of a filter's expression: And, Or, Not, All, Tag, By,
// Language, From, Word or HasFile.
type Node interface {
	matches(a *Article) bool
	write(out *strings.Builder)
}

// The nodes of an expression.
type (
	And struct{ Left, Right Node }
	Or  struct{ Left, Right Node }
	Not struct{ Of Node }
	All struct{}
	// Tag holds for articles with a tag of this TagKey.
	Tag struct{ Key string }
	// By holds for articles with an author of this AuthorKey.
	By struct{ Key string }
	// Language holds for articles in this language or a region of it: "en" includes "en-GB".
	// An empty Tag holds for articles whose language is unknown.
	Language struct{ Tag string }
	// From holds for articles with this SourceKey.
	From struct{ Key string }
	// Word holds for articles that contain these words, as Words returns them, in this order
	// and side by side.
	Word struct{ Text string }
	// HasFile holds for articles with an enclosure.
	HasFile struct{}
)

// Match reports whether an article is selected.
func (f Filter) Match(a *Article) bool { return f.Expr == nil || f.Expr.matches(a) }

// String returns an expression from which ParseFilter makes the same filter.
func (f Filter) String() string {
	if f.Expr == nil {
		return ""
	}
	var out strings.Builder
	f.Expr.write(&out)
	return out.String()
}

// MarshalText encodes the filter as String does.
func (f Filter) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// And returns the filter for the articles that both filters select.
func (f Filter) And(g Filter) Filter {
	switch {
	case f.Expr == nil:
		return g
	case g.Expr == nil:
		return f
	}
	return Filter{And{f.Expr, g.Expr}}
}

func (n And) matches(a *Article) bool   { return n.Left.matches(a) && n.Right.matches(a) }
func (n Or) matches(a *Article) bool    { return n.Left.matches(a) || n.Right.matches(a) }
func (n Not) matches(a *Article) bool   { return !n.Of.matches(a) }
func (All) matches(*Article) bool       { return true }
func (HasFile) matches(a *Article) bool { return len(a.Enclosure) > 0 }

func (n Tag) matches(a *Article) bool {
	return slices.ContainsFunc(a.Tags, func(tag string) bool { return TagKey(tag) == n.Key })
}

func (n By) matches(a *Article) bool {
	return slices.ContainsFunc(a.Authors, func(author Author) bool { return AuthorKey(author.Name) == n.Key })
}

func (n Language) matches(a *Article) bool {
	have, want := strings.ToLower(a.Language), strings.ToLower(n.Tag)
	return have == want || strings.HasPrefix(have, want+"-")
}

func (n From) matches(a *Article) bool { return SourceKey(a) == n.Key }

func (n Word) matches(a *Article) bool {
	want := strings.Join(Words(n.Text), " ")
	return want == "" || strings.Contains(" "+a.SearchText()+" ", " "+want+" ")
}

func (n And) write(out *strings.Builder) { writePair(out, n.Left, " AND ", n.Right) }
func (n Or) write(out *strings.Builder)  { writePair(out, n.Left, " OR ", n.Right) }
func (n Not) write(out *strings.Builder) {
	out.WriteString("NOT ")
	n.Of.write(out)
}
func (All) write(out *strings.Builder)        { out.WriteString("*") }
func (HasFile) write(out *strings.Builder)    { out.WriteString(hasFile) }
func (n Tag) write(out *strings.Builder)      { writeTerm(out, "tag:", n.Key) }
func (n By) write(out *strings.Builder)       { writeTerm(out, "author:", n.Key) }
func (n Language) write(out *strings.Builder) { writeTerm(out, "lang:", n.Tag) }
func (n From) write(out *strings.Builder)     { writeTerm(out, "source:", n.Key) }
func (n Word) write(out *strings.Builder)     { writeTerm(out, "text:", n.Text) }

func writePair(out *strings.Builder, left Node, operator string, right Node) {
	out.WriteByte('(')
	left.write(out)
	out.WriteString(operator)
	right.write(out)
	out.WriteByte(')')
}

func writeTerm(out *strings.Builder, kind, value string) {
	out.WriteString(kind)
	out.WriteByte('"')
	out.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value))
	out.WriteByte('"')
}

// AnyOf returns the filter for articles that match at least one of the values. node returns the
// expression for a value. Without values the filter selects all articles.
func AnyOf(values []string, node func(value string) Node) Filter {
	var f Filter
	for _, value := range values {
		if f.Expr == nil {
			f.Expr = node(value)
			continue
		}
		f.Expr = Or{f.Expr, node(value)}
	}
	return f
}

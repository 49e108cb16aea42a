package markup

import (
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// joinLines removes the line breaks of the source between Chinese or Japanese characters, where
// browsers would show them as spaces. Korean and all other scripts keep them. goldmark's own
// option for this also removes them after any punctuation, such as a Latin comma.
func joinLines(tree ast.Node, source []byte) {
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function below never fails
		line, ok := n.(*ast.Text)
		if !ok || !entering || !line.SoftLineBreak() {
			return ast.WalkContinue, nil
		}
		last, _ := utf8.DecodeLastRune(line.Segment.Value(source))
		if line.Segment.IsEmpty() && n.PreviousSibling() != nil {
			last, _ = utf8.DecodeLastRune(edgeText(n.PreviousSibling(), source, ast.Node.LastChild))
		}
		var next rune
		if n.NextSibling() != nil {
			next, _ = utf8.DecodeRune(edgeText(n.NextSibling(), source, ast.Node.FirstChild))
		}
		if withoutSpaces(last) && withoutSpaces(next) {
			line.SetSoftLineBreak(false)
		}
		return ast.WalkContinue, nil
	})
}

// edgeText returns the text at the edge of a node that step leads to.
func edgeText(n ast.Node, source []byte, step func(ast.Node) ast.Node) []byte {
	for ; n != nil; n = step(n) {
		if t, ok := n.(*ast.Text); ok {
			return t.Segment.Value(source)
		}
	}
	return nil
}

// withoutSpaces reports whether a character is one of Chinese or Japanese, which put no spaces
// between words.
func withoutSpaces(r rune) bool {
	return isWide(r) || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

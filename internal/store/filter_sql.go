package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// statement is SQL that is put together, with its arguments. Only our own words
// go into the text; every value is an argument.
type statement struct {
	engine Engine
	args   []any
}

// arg adds a value and returns its placeholder.
func (st *statement) arg(value any) string {
	st.args = append(st.args, value)
	sqldb.CleanArgs(st.args[len(st.args)-1:])
	return "$" + strconv.Itoa(len(st.args))
}

// labelOf is the label that a term asks for; ok is false for words.
func labelOf(term article.Node) (l label, ok bool) {
	switch n := term.(type) {
	case article.Tag:
		return label{kind: tagLabel, key: n.Key}, true
	case article.By:
		return label{kind: authorLabel, key: n.Key}, true
	case article.Language:
		return label{kind: languageLabel, key: strings.ToLower(n.Tag)}, true
	}
	return label{}, false
}

// wordsOf is the phrase that a term asks for, as SearchText has it.
func wordsOf(term article.Node) string {
	if w, ok := term.(article.Word); ok {
		return strings.Join(article.Words(w.Text), " ")
	}
	return ""
}

// holds is the condition that a term holds for the article in a row of a table. It
// is a question about that one article: as EXISTS, the planner of a young table would
// join it with all articles of the term, each time.
func (st *statement) holds(term article.Node, table string) string {
	if l, ok := labelOf(term); ok {
		same := "f.kind = %s AND f.key = %s"
		if st.engine == Postgres {
			same = "f.kind || '' = %s AND f.key || '' = %s" // not by the index of the label
		}
		return fmt.Sprintf("coalesce((SELECT 1 FROM article_labels f WHERE f.seq = %s.seq AND "+same+" LIMIT 1), 0) = 1",
			table, st.arg(l.kind), st.arg(l.key))
	}
	return fmt.Sprintf("coalesce((SELECT %s FROM article_words f WHERE f.seq = %s.seq), 0) > 0", st.place("f.words", wordsOf(term)), table)
}

// place is where words stand side by side in a text, 0 for nowhere.
func (st *statement) place(column, phrase string) string {
	function := "instr"
	if st.engine == Postgres {
		function = "strpos"
	}
	return fmt.Sprintf("%s(%s, %s)", function, column, st.arg(" "+phrase+" "))
}

// expression is the condition of a whole filter, for those too large to multiply out.
func (st *statement) expression(node article.Node, table string) string {
	switch n := node.(type) {
	case nil, article.All:
		return "1 = 1"
	case article.Not:
		return "NOT (" + st.expression(n.Of, table) + ")"
	case article.And:
		return "(" + st.expression(n.Left, table) + " AND " + st.expression(n.Right, table) + ")"
	case article.Or:
		return "(" + st.expression(n.Left, table) + " OR " + st.expression(n.Right, table) + ")"
	case article.Word:
		if wordsOf(n) == "" {
			return "1 = 1"
		}
	}
	return st.holds(node, table)
}

// matchAll is the question to SQLite's index for articles with all these words.
func matchAll(phrase string) string {
	return `"` + strings.Join(strings.Fields(phrase), `" AND "`) + `"`
}

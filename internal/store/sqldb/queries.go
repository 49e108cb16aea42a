package sqldb

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Queries are named queries, in the SQL of each engine.
type Queries struct {
	texts   map[Engine]map[string]string
	parts   map[string]string   // reusable pieces of SQL, by name
	columns map[string][]column // lists of columns, by name
	macros  []Macro
}

// Macro is a short form that queries may use, "name(argument)", and the SQL that replaces it on
// each engine, with ? for the argument.
type Macro struct {
	Name string
	Form map[Engine]string
}

// column is a column of a table and its type on PostgreSQL.
type column struct{ name, kind string }

// builtIn are the macros of all queries: the elements of a JSON array of texts or
// numbers, as a subquery for IN, and 16 random octets.
var builtIn = []Macro{
	{"strings", map[Engine]string{
		SQLite:   "(SELECT value FROM json_each(?))",
		Postgres: "(SELECT value FROM jsonb_array_elements_text(CAST(? AS jsonb)))",
	}},
	{"numbers", map[Engine]string{
		SQLite:   "(SELECT value FROM json_each(?))",
		Postgres: "(SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(? AS jsonb)))",
	}},
	{"random_id", map[Engine]string{SQLite: "randomblob(16)", Postgres: "uuid_send(gen_random_uuid())"}},
}

// LoadQueries reads all *.sql files of a folder:
//
//	-- columns: article
//	-- id, slug, title, published bigint
//
//	-- part: visible
//	status = 'published' AND published <= $1
//
//	-- name: article.bySlug
//	-- What it is for. Index: which one serves it.
//	SELECT columns(article) FROM articles WHERE slug = $1
//
// A line that ends in "-- sqlite only" or "-- postgres only" is dropped for the other
// engine. Queries may use these short forms, and the macros given:
//
//	part(visible)            the text of the part, which may use other parts
//	columns(article)         the columns, separated by commas
//	columns(article of a)    the same of a table with the alias a
//	values(article from 3)   a parameter for each column: $3, $4, …
//	arrays(article from 3)   the same as typed arrays, for unnest on PostgreSQL
//	strings($1), numbers($1) the elements of a JSON array
//	random_id()              16 random octets
func LoadQueries(files fs.FS, macros ...Macro) (*Queries, error) {
	q := &Queries{texts: map[Engine]map[string]string{}, parts: map[string]string{}, columns: map[string][]column{}, macros: append(builtIn, macros...)}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, engine := range []Engine{SQLite, Postgres} {
		q.texts[engine] = map[string]string{}
		for _, name := range names {
			data, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, err
			}
			if err := q.parse(name, string(data), engine); err != nil {
				return nil, err
			}
		}
	}
	for engine, texts := range q.texts {
		for name, text := range texts {
			if texts[name], err = q.expand(text, engine); err != nil {
				return nil, fmt.Errorf("query %s: %w", name, err)
			}
		}
	}
	return q, nil
}

// Texts returns the queries of an engine by name. Callers must not change the map.
func (q *Queries) Texts(engine Engine) map[string]string { return q.texts[engine] }

// Text returns a query of an engine, empty when there is none.
func (q *Queries) Text(engine Engine, name string) string { return q.texts[engine][name] }

// Add adds a query that is composed in Go.
func (q *Queries) Add(engine Engine, name, text string) { q.texts[engine][name] = text }

// Columns returns the names of a list of columns, separated by commas, each with a
// prefix such as "a.".
func (q *Queries) Columns(list, prefix string) string {
	names := make([]string, len(q.columns[list]))
	for i, c := range q.columns[list] {
		names[i] = prefix + c.name
	}
	return strings.Join(names, ", ")
}

// sections are the kinds of sections in a file of queries.
var sections = []string{"name", "part", "columns"}

// parse reads the sections of a file for one engine.
func (q *Queries) parse(file, data string, engine Engine) error {
	var kind, name string
	var text, comments strings.Builder
	finish := func() error {
		code := strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text.String()), ";"))
		list := comments.String()
		text.Reset()
		comments.Reset()
		switch kind {
		case "name":
			if _, twice := q.texts[engine][name]; twice {
				return fmt.Errorf("%s: query %s is defined twice", file, name)
			}
			if code != "" { // else it is for the other engine
				q.texts[engine][name] = code
			}
		case "part":
			q.parts[name+" "+string(engine)] = code
		case "columns":
			q.columns[name] = parseColumns(list)
		}
		return nil
	}
	for number, line := range strings.Split(data, "\n") {
		trimmed := strings.TrimSpace(line)
		if nextKind, next, found := heading(trimmed); found {
			if err := finish(); err != nil {
				return err
			}
			kind, name = nextKind, next
			continue
		}
		code, keep := forEngine(trimmed, engine)
		if code != "" && kind != "name" && kind != "part" {
			return fmt.Errorf("%s:%d: a statement without a name; put a line \"-- name: NAME\" above it", file, number+1)
		}
		if keep && code != "" {
			text.WriteString(code + "\n")
		}
		if comment, ok := strings.CutPrefix(trimmed, "--"); ok {
			comments.WriteString(comment)
		}
	}
	return finish()
}

// heading reads a line such as "-- name: article.bySlug".
func heading(line string) (kind, name string, found bool) {
	for _, kind := range sections {
		if rest, ok := strings.CutPrefix(line, "-- "+kind+": "); ok {
			return kind, strings.TrimSpace(rest), true
		}
	}
	return "", "", false
}

// parseColumns reads "id, slug, published bigint". A column without a type is text.
func parseColumns(list string) []column {
	var out []column
	for _, item := range strings.Split(list, ",") {
		words := append(strings.Fields(item), "text")
		out = append(out, column{words[0], words[1]})
	}
	return out
}

// forEngine cuts the comment off a line and reports whether the engine gets the line.
func forEngine(line string, engine Engine) (code string, keep bool) {
	code, comment, _ := strings.Cut(line, "--")
	comment = strings.TrimSpace(comment)
	only, restricted := strings.CutSuffix(comment, " only")
	if restricted && (Engine(only) == SQLite || Engine(only) == Postgres) {
		return strings.TrimSpace(code), Engine(only) == engine
	}
	return strings.TrimSpace(code), true
}

// maxNesting bounds the depth to which parts use other parts.
const maxNesting = 3

// expand replaces the short forms of a query by SQL.
func (q *Queries) expand(text string, engine Engine) (string, error) {
	var unknown error
	for range maxNesting { // a part may use other parts
		text = replaceCalls(text, "part", func(name string) string {
			part, found := q.parts[name+" "+string(engine)]
			if !found {
				unknown = fmt.Errorf("unknown part %q", name)
			}
			return part
		})
	}
	text = replaceCalls(text, "part", func(name string) string {
		unknown = fmt.Errorf("part %q: parts are nested more than %d deep", name, maxNesting)
		return ""
	})
	for _, form := range []string{"columns", "values", "arrays"} {
		text = replaceCalls(text, form, func(argument string) string {
			list, option, _ := strings.Cut(argument, " ")
			if len(q.columns[list]) == 0 {
				unknown = fmt.Errorf("unknown columns %q", list)
			}
			return q.columnForm(form, list, option)
		})
	}
	for _, macro := range q.macros {
		text = replaceCalls(text, macro.Name, func(argument string) string {
			return strings.ReplaceAll(macro.Form[engine], "?", argument)
		})
	}
	return text, unknown
}

// columnForm returns a list of columns as names, parameters or arrays.
func (q *Queries) columnForm(form, list, option string) string {
	if form == "columns" {
		if alias, found := strings.CutPrefix(option, "of "); found {
			return q.Columns(list, alias+".")
		}
		return q.Columns(list, "")
	}
	first, _ := strconv.Atoi(strings.TrimPrefix(option, "from "))
	parameters := make([]string, len(q.columns[list]))
	for i, c := range q.columns[list] {
		parameters[i] = "$" + strconv.Itoa(first+i)
		if form == "arrays" {
			parameters[i] = "CAST(" + parameters[i] + " AS " + c.kind + "[])"
		}
	}
	return strings.Join(parameters, ", ")
}

// replaceCalls replaces each name(argument) that is a whole word.
func replaceCalls(text, name string, with func(argument string) string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, name+"(")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		if before != "" && isWord(before[len(before)-1]) {
			out.WriteString(name + "(")
			text = rest
			continue
		}
		argument, after, _ := strings.Cut(rest, ")")
		out.WriteString(with(argument))
		text = after
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

package store

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// queryTexts are the named queries in an engine's words. The files are read once.
var queryTexts = func() func(Engine) map[string]string {
	load := sync.OnceValue(func() map[Engine]map[string]string {
		out := map[Engine]map[string]string{}
		for _, engine := range []Engine{SQLite, Postgres} {
			texts, err := loadQueries(queryFiles, engine)
			if err != nil {
				panic(err) // the files are built in and a test loads them
			}
			if engine == Postgres {
				texts["delivery.record"] = together(texts)
			}
			out[engine] = texts
		}
		return out
	})
	return func(engine Engine) map[string]string { return load()[engine] }
}()

// loadQueries reads all files of named queries:
//
//	-- name: article.bySlug
//	-- What it is for. Index: which one serves it.
//	SELECT … FROM articles WHERE slug = $1
//
// A line that ends in "-- sqlite only" or "-- postgres only" is dropped for the
// other engine, and strings($1) and numbers($1) stand for the elements of a JSON
// array, as a subquery for IN; see calls. All else is the same for both.
func loadQueries(files fs.FS, engine Engine) (map[string]string, error) {
	names, err := fs.Glob(files, "queries/*.sql")
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if err := parseQueries(name, string(data), engine, texts); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func parseQueries(file, data string, engine Engine, into map[string]string) error {
	var name string
	var text strings.Builder
	finish := func() error {
		query := strings.TrimRight(strings.TrimSpace(text.String()), ";")
		text.Reset()
		if _, twice := into[name]; twice {
			return fmt.Errorf("%s: query %s is there twice", file, name)
		}
		if query != "" { // the other engine's alone, else
			into[name] = spell(query, engine)
		}
		return nil
	}
	for number, line := range strings.Split(data, "\n") {
		trimmed := strings.TrimSpace(line)
		if next, found := strings.CutPrefix(trimmed, "-- name: "); found {
			if err := finish(); err != nil {
				return err
			}
			name = strings.TrimSpace(next)
			continue
		}
		code, keep := forEngine(trimmed, engine)
		if code != "" && name == "" {
			return fmt.Errorf("%s:%d: a statement without a name; right would be a line \"-- name: NAME\" above it", file, number+1)
		}
		if keep && code != "" {
			text.WriteString(code + "\n")
		}
	}
	return finish()
}

// forEngine cuts the comment off a line and says whether the engine gets it.
func forEngine(line string, engine Engine) (code string, keep bool) {
	code, comment, _ := strings.Cut(line, "--")
	comment = strings.TrimSpace(comment)
	only, restricted := strings.CutSuffix(comment, " only")
	if restricted && (Engine(only) == SQLite || Engine(only) == Postgres) {
		return strings.TrimSpace(code), Engine(only) == engine
	}
	return strings.TrimSpace(code), true
}

// calls are what queries may say in short, and what stands for it on each engine,
// with ? for the argument. random_id() is 16 random octets. doubted is what a delivery's reason becomes: that it was
// in doubt once is kept before whatever followed last.
var calls = []struct {
	name string
	form map[Engine]string
}{
	{"strings(", map[Engine]string{
		SQLite:   "(SELECT value FROM json_each(?))",
		Postgres: "(SELECT value FROM jsonb_array_elements_text(CAST(? AS jsonb)))",
	}},
	{"numbers(", map[Engine]string{
		SQLite:   "(SELECT value FROM json_each(?))",
		Postgres: "(SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(? AS jsonb)))",
	}},
	{"random_id(", map[Engine]string{SQLite: "randomblob(16)", Postgres: "uuid_send(gen_random_uuid())"}},
	{"doubted(", map[Engine]string{
		SQLite:   fmt.Sprintf(doubted, "substr(reason, 1, instr(reason || '; then: ', '; then: ') - 1)"),
		Postgres: fmt.Sprintf(doubted, "split_part(reason, '; then: ', 1)"),
	}},
}

const doubted = "CASE WHEN reason NOT LIKE 'in doubt%%' OR ? LIKE 'in doubt%%' THEN ? WHEN ? = '' THEN reason ELSE %s || '; then: ' || ? END"

// spell writes the calls of a query out.
func spell(query string, engine Engine) string {
	for _, call := range calls {
		query = replaceCalls(query, call.name, call.form[engine])
	}
	return query
}

// replaceCalls replaces name($n) by the form with $n in place of each ?.
func replaceCalls(query, name, form string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(query, name)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		argument, after, _ := strings.Cut(rest, ")")
		out.WriteString(strings.ReplaceAll(form, "?", argument))
		query = after
	}
}

package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tidings-press/tidings/internal/article"
)

// jsonLines imports a file with one article per line. A line is a JSON object with the keys of
// front matter, the text under html, markdown or text, and an id that must not change when the
// article does.
func (im *importer) jsonLines() ([]Imported, []*Problem) {
	var out []Imported
	var problems []*Problem
	number := 0
	seen := map[string]int{} // line numbers by id
	for line := range bytes.Lines(im.file.Data) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if len(seen) == maxRows || im.structure > maxRowsStructure {
			return out, append(problems, &Problem{File: im.file.Name, Line: number, What: "the file holds too much up to here; this line and what follows are left out", Fix: fmt.Sprintf("write at most %d articles, with at most %d elements and attributes of HTML, into one file", maxRows, maxRowsStructure)})
		}
		one, problem := im.jsonLine(line, seen, number)
		if problem != nil {
			problem.File, problem.Line = im.file.Name, number
			problems = append(problems, problem)
			continue
		}
		for _, warning := range one.Warnings {
			warning.Line = number
		}
		out = append(out, *one)
	}
	return out, problems
}

// jsonLine imports the article of one line. seen holds the line numbers of the ids so far.
func (im *importer) jsonLine(line []byte, seen map[string]int, number int) (*Imported, *Problem) {
	m, err := jsonObject(line, number)
	if err != nil {
		return nil, &Problem{What: "this line is not a JSON object: " + jsonError(err), Fix: `write {"id": "…", "title": "…", "date": "…", "html": "…"}`}
	}
	values := m.values
	body, k := jsonBody(values)
	id := jsonID(values)
	if id == "" {
		return nil, &Problem{What: "this article has no id", Fix: `add "id": a text that stays the same when the article changes`}
	}
	if before := seen[id]; before > 0 {
		return nil, &Problem{What: fmt.Sprintf("the id %q stands on line %d already", id, before), Fix: "give every article an id of its own"}
	}
	seen[id] = number
	row := importer{file: File{Name: im.file.Name + "#" + id, Modified: im.file.Modified}, options: im.options, severalArticles: true}
	if _, dated := m.date(); !dated && k == kindText && !im.options.DateFromFile {
		return nil, &Problem{What: "date missing", Fix: `add "date": "2026-11-23"`}
	}
	named := values["slug"] != nil
	if !named {
		if values["slug"] = id; values["title"] != nil {
			values["slug"] = article.CleanLine(fmt.Sprint(values["title"]))
		}
	}
	stripped, _ := row.strip([]byte(body), 1)
	one, problem := row.build(m, string(stripped), k, 1)
	im.structure += row.structure
	if problem == nil && one.Article != nil {
		one.Article.Named = named
	}
	return one, problem
}

// jsonObject reads a line that holds one object and nothing else.
func jsonObject(line []byte, number int) (meta, error) {
	m := newMeta()
	reader := jsonReader{budget: budget{left: maxValues}, decoder: json.NewDecoder(bytes.NewReader(line))}
	reader.decoder.UseNumber()
	err := reader.object(func(key string) error {
		value, err := reader.value(2)
		m.add(key, value, number)
		return err
	})
	if err != nil {
		return m, err
	}
	if _, err := reader.decoder.Token(); err != io.EOF {
		return m, errors.New("something stands after the object")
	}
	return m, nil
}

// jsonBody returns the text of an article and its format. HTML is preferred to Markdown, and
// Markdown to plain text.
func jsonBody(values map[string]any) (string, kind) {
	for _, form := range []struct {
		key string
		of  kind
	}{{"html", kindHTML}, {"markdown", kindMarkdown}, {"text", kindText}} {
		if text, ok := values[form.key].(string); ok {
			return text, form.of
		}
	}
	return "", kindMarkdown
}

// jsonID returns the id of an article, or its slug or URL if it has none.
func jsonID(values map[string]any) string {
	for _, key := range []string{"id", "slug", "url"} {
		if values[key] != nil {
			return cutText(article.CleanLine(fmt.Sprint(values[key])), maxLink)
		}
	}
	return ""
}

// jsonError returns the text of an error of encoding/json, with the position of a syntax error.
func jsonError(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("%v at character %d", syntax, syntax.Offset)
	}
	return err.Error()
}

package article

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// jsonLines imports a file with one article per line: an object with the keys of
// front matter, the text under html, markdown or text, and an id that stays the
// same when the line changes.
func (im *importer) jsonLines() ([]Imported, []*Problem) {
	var out []Imported
	var problems []*Problem
	number := 0
	for line := range bytes.Lines(im.file.Data) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		one, problem := im.jsonLine(line)
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

func (im *importer) jsonLine(line []byte) (*Imported, *Problem) {
	var values map[string]any
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, &Problem{What: "this line is not a JSON object: " + jsonError(err), Right: `write {"id": "…", "title": "…", "date": "…", "html": "…"}`}
	}
	m := meta{values: values, lines: map[string]int{}}
	body, k := "", kindMarkdown
	for key, of := range map[string]kind{"html": kindHTML, "markdown": kindMarkdown, "text": kindText} {
		if text, ok := values[key].(string); ok {
			body, k = text, of
		}
	}
	id := cleanLine(fmt.Sprint(values["id"]))
	if values["id"] == nil {
		id = cleanLine(fmt.Sprint(values["slug"], values["url"]))
	}
	if values["id"] == nil && values["slug"] == nil && values["url"] == nil {
		return nil, &Problem{What: "this article has no id", Right: `add "id": a text that stays the same when the article changes`}
	}
	row := importer{file: File{Name: im.file.Name + "#" + id, Modified: im.file.Modified}, options: im.options}
	if values["slug"] == nil {
		values["slug"] = cleanLine(fmt.Sprint(values["title"]))
	}
	stripped, _ := row.strip([]byte(body), 1)
	return row.build(m, string(stripped), k, 1)
}

func jsonError(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("%v at character %d", syntax, syntax.Offset)
	}
	return err.Error()
}

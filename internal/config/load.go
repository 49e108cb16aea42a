package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the file; a configuration is far smaller.
const maxFile = 4 << 20

// Load reads and checks a configuration file. An error about its content is
// Problems: all that are wrong, not only the first. Values may hold ${NAME} and
// ${NAME:-default} from the environment. Paths come back relative to the working folder.
func Load(path string) (*Config, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &missingError{path}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, Problems{{File: path, What: "the file is larger than 4 MB", Right: "a configuration"}}
	}
	return Parse(data, path)
}

// missingError is os.ErrNotExist with a hint.
type missingError struct{ path string }

func (e *missingError) Error() string {
	return fmt.Sprintf("there is no %s; right would be: a file made by \"tidings init\", or --config with its path", e.path)
}

func (e *missingError) Unwrap() error { return os.ErrNotExist }

// Parse is Load for the content of a file. path is for messages, and its folder is
// what paths in the file are relative to.
func Parse(data []byte, path string) (*Config, error) {
	c := empty()
	c.path, c.lines = path, map[string]int{}
	d := &decoder{file: path, env: os.LookupEnv, lines: c.lines}
	document, problem := parseYAML(data, path)
	if problem != nil {
		return nil, Problems{*problem}
	}
	if document != nil {
		d.value(document, reflect.ValueOf(c).Elem(), "")
	}
	c.literals = d.literals
	fillDefaults(c)
	checks := &checker{config: c, folder: filepath.Dir(path), bad: map[string]bool{}}
	for _, p := range d.problems {
		checks.bad[p.Key] = true // one complaint for each key is enough
	}
	checks.all()
	if problems := append(d.problems, checks.problems...); len(problems) > 0 {
		return nil, problems.sorted()
	}
	return c, nil
}

// yamlLine finds the line in the errors of the YAML library.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// parseYAML gives the document's root, nil for an empty one.
func parseYAML(data []byte, path string) (*yaml.Node, *Problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, yamlProblem(err, path)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, &Problem{File: path, Line: second.Line, What: "a second document begins", Right: "one document, without a line of three hyphens inside"}
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlProblem(err, path)
	}
	return document.Content[0], nil
}

func yamlProblem(err error, path string) *Problem {
	p := &Problem{File: path, What: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(p.What); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.What = strings.Replace(p.What, m[0], "", 1)
	}
	if strings.Contains(p.What, "cannot start any token") {
		p.Right = "spaces in place of tabs"
	}
	return p
}

// Position says where a key stands, such as "config.yaml:41" for
// "digests[0].subject": for errors that are found later than Load can find them. For
// keys that the file leaves out it is the nearest key above.
func (c *Config) Position(key string) string {
	if line := c.lineOf(key); line > 0 {
		return c.path + ":" + strconv.Itoa(line)
	}
	return c.path
}

// Problem makes an error about a key, with its position.
func (c *Config) Problem(key, what, right string) Problem {
	return Problem{File: c.path, Line: c.lineOf(key), Key: key, What: what, Right: right}
}

func (c *Config) lineOf(key string) int {
	for key != "" {
		if line := c.lines[key]; line > 0 {
			return line
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}

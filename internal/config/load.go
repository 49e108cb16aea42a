package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is the maximum size of the file in bytes. Real ones are far smaller.
const maxFile = 4 << 20

// Load reads and checks a configuration file. It returns Problems with all errors in its content.
// Values may contain ${NAME} and ${NAME:-default} for environment variables. Paths in the result
// are relative to the working folder.
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
		return nil, Problems{{File: path, What: "the file is larger than 4 MB", Fix: "check that it is the configuration file"}}
	}
	return Parse(data, path)
}

// missingError is os.ErrNotExist with a text that says how to fix it.
type missingError struct{ path string }

func (e *missingError) Error() string {
	return fmt.Sprintf("%s does not exist; create it with \"tidings init\", or name the file with --config", e.path)
}

func (e *missingError) Unwrap() error { return os.ErrNotExist }

// Parse reads and checks the content of a configuration file. path names the file in messages;
// paths in the file are relative to its folder.
func Parse(data []byte, path string) (*Config, error) {
	document, problem := parseYAML(data, path)
	if problem != nil {
		return nil, Problems{*problem}
	}
	c, err := build(document, path, nil)
	if err == nil && len(data) > 0 {
		c.source = &source{data}
	}
	return c, err
}

// build decodes and checks a document, which is nil if it is empty. storedKeys are the keys of stored values
// in it; see With.
func build(document *yaml.Node, path string, storedKeys map[string]string) (*Config, error) {
	c := empty()
	c.path, c.lines, c.storedKeys = path, map[string]int{}, storedKeys
	d := &decoder{file: path, env: os.LookupEnv, lines: c.lines}
	if document != nil {
		d.value(document, reflect.ValueOf(c).Elem(), "")
	}
	c.literals = d.literals
	fillDefaults(c)
	checks := &checker{config: c, folder: filepath.Dir(path), bad: map[string]bool{}}
	for _, p := range d.problems {
		checks.bad[p.Key] = true // report one problem per key
	}
	checks.all()
	if problems := append(d.problems, checks.problems...); len(problems) > 0 {
		return nil, c.named(problems).sorted()
	}
	return c, nil
}

// Position returns the position of a key, such as "config.yaml:41" for "digests[0].subject", for
// errors that are found after Load. For a key that is not in the file it is that of the parent.
func (c *Config) Position(key string) string {
	if line := c.lineOf(key); line > 0 {
		return c.path + ":" + strconv.Itoa(line)
	}
	return c.path
}

// Problem returns an error about a key, with its position.
func (c *Config) Problem(key, what, fix string) Problem {
	p := Problem{File: c.path, Line: c.lineOf(key), Key: key, What: what, Fix: fix}
	return c.named(Problems{p})[0]
}

func (c *Config) lineOf(key string) int { return lineOf(c.lines, key) }

// lineOf returns the line of a key, or of the nearest one above it; 0 if there is none.
func lineOf(lines map[string]int, key string) int {
	for key != "" {
		if line := lines[key]; line > 0 {
			return line
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}

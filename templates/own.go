package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Listed is a mail template of List.
type Listed struct {
	Name    string   `json:"name"`
	For     string   `json:"for"`     // "digests", or "other mails" for confirm, welcome and the like
	BuiltIn bool     `json:"builtin"` // there is a built-in one of the name
	Own     []string `json:"own"`     // files of the folder that are used, in place of the built-in ones if there are any
}

// List returns all mail templates, and the shared parts that files of the folder dir replace or add.
func List(dir string) (mails []Listed, parts []string, err error) {
	builtInFiles, err := readFiles("mail", "", ".html", ".txt")
	if err != nil {
		return nil, nil, err
	}
	files, err := readFiles("mail", dir, ".html", ".txt")
	if err != nil {
		return nil, nil, err
	}
	own := func(name string) bool { return files[name].path != builtInFiles[name].path }
	for _, name := range mailNames(files) {
		one := Listed{Name: name, For: "digests", Own: []string{}}
		if slices.Contains(noticeNames, name) {
			one.For = "other mails"
		}
		for _, suffix := range []string{".html", ".txt"} {
			_, known := builtInFiles[name+suffix]
			one.BuiltIn = one.BuiltIn || known
			if own(name + suffix) {
				one.Own = append(one.Own, files.path(name+suffix))
			}
		}
		mails = append(mails, one)
	}
	parts = []string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, "_") && own(name) {
			parts = append(parts, files.path(name))
		}
	}
	return mails, parts, nil
}

// Check checks a mail template of the folder dir as Load does, or all if name is empty. It returns the
// names of those that it checked.
func Check(dir, name string) ([]string, error) {
	if name == "" {
		set, err := Load(dir)
		if err == nil && dir == "" {
			err = set.checkAll()
		}
		if err != nil {
			return nil, err
		}
		return slices.Sorted(maps.Keys(set.mails)), nil
	}
	set, err := loadOne(dir, name)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(set.mails)), nil
}

// loadOne loads and checks one mail template, so that faults of others do not matter.
func loadOne(dir, name string) (*Set, error) {
	set := &Set{mails: map[string]*Mail{}, phrasesByLanguage: map[string]*Phrases{}}
	phrases, err := readFiles("phrases", dir, ".yaml")
	if err != nil {
		return nil, err
	}
	if err := set.parsePhrases(phrases); err != nil {
		return nil, err
	}
	files, err := readFiles("mail", dir, ".html", ".txt")
	if err != nil {
		return nil, err
	}
	if names := mailNames(files); !slices.Contains(names, name) {
		return nil, errUnknownMail(name, names)
	}
	return set, set.parseMail(name, files, true)
}

// Preview renders a mail template of the folder dir with sample data in a language.
func Preview(dir, name, lang string) (Rendered, error) {
	return PreviewWith(dir, name, lang, func(*Digest) {})
}

// PreviewWith is Preview with sample data that change has changed. It does not change those of mails
// that are no digests.
func PreviewWith(dir, name, lang string, change func(*Digest)) (Rendered, error) {
	set, err := loadOne(dir, name)
	if err != nil {
		return Rendered{}, err
	}
	phrases := set.phrases(lang)
	if slices.Contains(noticeNames, name) {
		return set.mails[name].Render(SampleNotice(phrases))
	}
	data := Sample(phrases)
	data.Reader.Name, data.Reader.Address = "Clara Stein", "clara@example.org" // Sample has marks here, which a check looks for
	change(&data)
	out, err := set.mails[name].Render(data)
	out.Subject = data.Subject
	return out, err
}

// namePattern matches names of templates that digests can name.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Copy writes a new mail template into the folder dir: the one named from, with the shared parts that it
// uses in the same file, so that changes to them change no other mail. It returns the names of the new
// files, and never overwrites a file.
func Copy(dir, name, from string) ([]string, error) {
	if !namePattern.MatchString(name) {
		return nil, fmt.Errorf("%q is not a name for a template; use lower-case letters, digits and hyphens, such as our-letter", name)
	}
	files, err := readFiles("mail", "", ".html", ".txt")
	if err != nil {
		return nil, err
	}
	if names := mailNames(files); !slices.Contains(names, from) {
		return nil, errUnknownMail(from, names)
	}
	folder := filepath.Join(dir, "mail")
	written := []string{filepath.Join(folder, name+".html"), filepath.Join(folder, name+".txt")}
	for _, path := range written {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s exists already; choose another name, or remove the file", path)
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	for i, suffix := range []string{".html", ".txt"} {
		if err := writeNew(written[i], files.withParts(from, suffix)); err != nil {
			return written[:i], err
		}
	}
	return written, nil
}

func writeNew(path, source string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(source)
	return errors.Join(err, f.Close())
}

var (
	usedPart    = regexp.MustCompile(`\{\{-? ?template "([^"]+)"`)
	definedPart = regexp.MustCompile(`\{\{-? ?define "([^"]+)"`)
)

// withParts returns the source of a mail, followed by the files of shared parts that it uses.
func (s fileSet) withParts(name, suffix string) string {
	source := s.source(name + suffix)
	added := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for _, part := range s.parts(suffix) {
			if !added[part] && uses(source, s.source(part)) {
				source += "\n{{- /* From " + part + " */ -}}\n" + s.source(part)
				added[part], grown = true, true
			}
		}
	}
	return source
}

// uses reports whether a source calls a part that another one defines and it does not.
func uses(source, part string) bool {
	used, own := namesIn(usedPart, source), namesIn(definedPart, source)
	for name := range namesIn(definedPart, part) {
		if used[name] && !own[name] {
			return true
		}
	}
	return false
}

func namesIn(pattern *regexp.Regexp, source string) map[string]bool {
	out := map[string]bool{}
	for _, m := range pattern.FindAllStringSubmatch(source, -1) {
		out[m[1]] = true
	}
	return out
}

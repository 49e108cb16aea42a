package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Set is the checked set of mail templates and phrases.
type Set struct {
	mails             map[string]*Mail
	phrasesByLanguage map[string]*Phrases
	hash              string
}

// Hash returns a hash of all files of the set. Sets with the same hash render the same
// mails.
func (s *Set) Hash() string { return s.hash }

// noticeNames are the mails whose data is a Notice; all others are digests.
var noticeNames = []string{"confirm", "notice", "signin", "welcome"}

// Load returns the built-in templates and those of the folder dir, which replace built-in ones of the
// same name: dir/mail/NAME.html with dir/mail/NAME.txt, and dir/phrases/LANGUAGE.yaml. If dir is empty,
// it returns the built-in ones. With a folder, Load renders every template with sample data, so that a
// misspelt field is found now and not when an edition is due. The tests of this package do that with
// the built-in ones, which takes too long at the start of every command. The errors of all templates
// are joined; each is an *Error.
func Load(dir string) (*Set, error) {
	if dir == "" {
		return loadBuiltIn()
	}
	return load(dir)
}

// loadBuiltIn loads the built-in templates once for the whole process, since they do not change.
var loadBuiltIn = sync.OnceValues(func() (*Set, error) { return load("") })

func load(dir string) (*Set, error) {
	set := &Set{mails: map[string]*Mail{}, phrasesByLanguage: map[string]*Phrases{}}
	phrases, err := readFiles("phrases", dir, ".yaml")
	if err != nil {
		return nil, err
	}
	if err := set.parsePhrases(phrases); err != nil {
		return nil, err
	}
	mails, err := readFiles("mail", dir, ".html", ".txt")
	if err != nil {
		return nil, err
	}
	if err := set.parseMails(mails, dir != ""); err != nil {
		return nil, err
	}
	set.hash = hashOf(phrases, mails)
	return set, nil
}

// FilesHash returns the Hash of the set that Load would return for dir, without checking the files. If
// they cannot be read, the result differs from that of every set.
func FilesHash(dir string) string {
	phrases, err := readFiles("phrases", dir, ".yaml")
	if err != nil {
		return err.Error()
	}
	mails, err := readFiles("mail", dir, ".html", ".txt")
	if err != nil {
		return err.Error()
	}
	return hashOf(phrases, mails)
}

// hashOf hashes the names and sources of files.
func hashOf(sets ...fileSet) string {
	hash := sha256.New()
	for _, files := range sets {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(hash, "%q %q\n", name, files.source(name))
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// parsePhrases reads all phrase files. English comes first, because the others need the same phrases.
func (s *Set) parsePhrases(files fileSet) error {
	english, err := parsePhrases(files.path("en.yaml"), []byte(files.source("en.yaml")), "en", nil)
	if err != nil {
		return err
	}
	s.phrasesByLanguage["en"] = english
	var faults []error
	for _, name := range files.named("", ".yaml") {
		p, err := parsePhrases(files.path(name), []byte(files.source(name)), strings.TrimSuffix(name, ".yaml"), english)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		s.phrasesByLanguage[p.tag.String()] = p
	}
	return errors.Join(faults...)
}

func (s *Set) parseMails(files fileSet, check bool) error {
	var faults []error
	for _, name := range mailNames(files) {
		if err := s.parseMail(name, files, check); err != nil {
			faults = append(faults, err)
		}
	}
	return joinDistinct(faults)
}

func (s *Set) parseMail(name string, files fileSet, check bool) error {
	for suffix, part := range map[string]string{".html": "HTML", ".txt": "text"} {
		if _, ok := files[name+suffix]; !ok {
			return &Error{File: name + suffix, What: "mail " + name + " has no " + part + " part", Fix: "a file mail/" + name + suffix + " beside the other part"}
		}
	}
	m, err := parseMail(name, files)
	if err != nil {
		return err
	}
	if check {
		err = s.check(m)
	}
	if err != nil {
		return err
	}
	s.mails[name] = m
	return nil
}

// mailNames returns the names of the mails of which files has at least one part.
func mailNames(files fileSet) []string {
	names := map[string]bool{}
	for name := range files {
		if !strings.HasPrefix(name, "_") {
			names[strings.TrimSuffix(strings.TrimSuffix(name, ".html"), ".txt")] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Mail returns the mail template of that name.
func (s *Set) Mail(name string) (*Mail, error) {
	if m, ok := s.mails[name]; ok {
		return m, nil
	}
	return nil, errUnknownMail(name, s.Names())
}

// Names returns the names of the mail templates for digests, sorted.
func (s *Set) Names() []string {
	names := slices.Sorted(maps.Keys(s.mails))
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(noticeNames, name) })
}

// Languages returns the languages that have phrases, sorted.
func (s *Set) Languages() []string { return slices.Sorted(maps.Keys(s.phrasesByLanguage)) }

// maxFile is the maximum size of a template file in bytes.
const maxFile = 1 << 20

// fileSet is the files of a folder by name.
type fileSet map[string]file

type file struct {
	path   string // for error messages
	source string
}

func (s fileSet) source(name string) string { return s[name].source }

func (s fileSet) path(name string) string {
	if f, ok := s[name]; ok {
		return f.path
	}
	return name
}

// parts returns the names of the shared parts: files whose name begins with an underscore.
func (s fileSet) parts(suffix string) []string { return s.named("_", suffix) }

func (s fileSet) named(prefix, suffix string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names
}

// readFiles reads the built-in files of a folder and then those of dir, which replace them. dir need
// not have the folder.
func readFiles(folder, dir string, suffixes ...string) (fileSet, error) {
	files := fileSet{}
	if err := files.add(builtIn, folder, func(name string) string { return "built-in " + folder + "/" + name }, suffixes); err != nil {
		return nil, err
	}
	if dir == "" {
		return files, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, &Error{File: dir, What: "no folder of that name", Fix: "a folder with mail/ or phrases/ in it, or none for the built-in templates"}
	}
	err := files.add(os.DirFS(dir), folder, func(name string) string { return filepath.Join(dir, folder, name) }, suffixes)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	return files, err
}

func (s fileSet) add(from fs.FS, folder string, path func(string) string, suffixes []string) error {
	entries, err := fs.ReadDir(from, folder)
	if err != nil {
		return fmt.Errorf("templates cannot be read: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
			continue
		}
		source, err := readFile(from, folder+"/"+name)
		if err != nil {
			return &Error{File: path(name), What: err.Error()}
		}
		s[name] = file{path: path(name), source: source}
	}
	return nil
}

func readFile(from fs.FS, name string) (string, error) {
	f, err := from.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("larger than %d bytes, the limit for a template file", maxFile)
	}
	return string(data), err
}

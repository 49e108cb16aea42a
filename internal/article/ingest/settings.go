package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Generators of static sites set front matter for many files in one place: Hugo's cascade,
// Jekyll's defaults, Eleventy's data files, a Zola section that is a draft. Their visibility
// keys are applied, so that what they withhold is withheld here too. A file's front matter
// takes precedence over its folder's settings, and these over those of parent folders.

// inherited is a front matter key that a file gets from the settings of its site, or the fact
// that settings withhold it.
type inherited struct {
	entry
	file     string // settings file
	withheld string // reason why the file is withheld without a key, when settings are not understood; else empty
	fix      string
}

// rule sets keys of files below a folder.
type rule struct {
	applies  func(name string) bool // gets the path below the folder
	keys     []inherited
	priority int // among the rules of one folder, a higher priority overrides a lower one
}

// settings reads and caches the settings of a site.
type settings struct {
	files      fs.FS
	folderPath string            // absolute path of the imported folder; empty if it is not on disk
	folders    map[string][]rule // by path below the imported folder, or by absolute path for a parent
	parents    []string          // absolute paths of the parents, outermost first
	sites      map[string]*site  // by folder, as in folders; nil for a folder that is no site
}

const (
	maxSettings = 1 << 20 // bytes of a settings file
	maxParents  = 8       // folders above the imported one that are read
)

func newSettings(files fs.FS, folder string) *settings {
	s := &settings{files: files, folderPath: folder, folders: map[string][]rule{}, sites: map[string]*site{}}
	for dir := folder; dir != "" && len(s.parents) < maxParents && !exists(filepath.Join(dir, ".git")); {
		parent := filepath.Dir(dir)
		if parent == dir || parent == filepath.Dir(parent) { // the root folder is not a site
			break
		}
		dir = parent
		s.parents = append(s.parents, dir)
	}
	slices.Reverse(s.parents)
	return s
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// forFile returns the keys that the settings of the site give to a file, each key once.
func (s *settings) forFile(name string) []inherited {
	byKey := map[string]inherited{}
	apply := func(rules []rule, below string) {
		for _, r := range rules {
			if !r.applies(below) {
				continue
			}
			for _, in := range r.keys {
				byKey[normalKey(in.key)+"\x00"+in.withheld] = in
			}
		}
	}
	for _, parent := range s.parents {
		below, err := filepath.Rel(parent, filepath.Join(s.folderPath, filepath.FromSlash(name)))
		if err == nil {
			apply(s.folder(parent, true), filepath.ToSlash(below))
		}
	}
	dirs := []string{"."}
	for at := range name {
		if name[at] == '/' {
			dirs = append(dirs, name[:at])
		}
	}
	for _, dir := range dirs {
		apply(s.folder(dir, false), strings.TrimPrefix(strings.TrimPrefix(name, dir), "/"))
	}
	apply(s.dataFileRules(name), path.Base(name))
	out := make([]inherited, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[key])
	}
	return out
}

// folder returns the rules of one folder, sorted by priority.
func (s *settings) folder(dir string, parent bool) []rule {
	if rules, read := s.folders[dir]; read {
		return rules
	}
	r := settingsReader{dir: dir, parent: parent, read: func(name string) ([]byte, error) {
		if !parent {
			return readBounded(s.files, path.Join(dir, name), maxSettings)
		}
		return readOutside(filepath.Join(dir, filepath.FromSlash(name)))
	}}
	base := path.Base(filepath.ToSlash(dir))
	if dir == "." && s.folderPath != "" {
		base = filepath.Base(s.folderPath)
	}
	r.hugoConfig()
	r.jekyllConfig()
	r.sectionPage()
	r.eleventyData(base)
	slices.SortStableFunc(r.rules, func(a, b rule) int { return a.priority - b.priority })
	s.folders[dir] = r.rules
	return r.rules
}

// dataFileRules returns the rules of the data files of one article (Eleventy).
func (s *settings) dataFileRules(name string) []rule {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	r := settingsReader{dir: path.Dir(name), read: func(file string) ([]byte, error) {
		return readBounded(s.files, path.Join(path.Dir(name), file), maxSettings)
	}}
	r.eleventyData(stem)
	return r.rules
}

// readOutside reads a file above the imported folder.
func readOutside(name string) ([]byte, error) {
	return readBounded(os.DirFS(filepath.Dir(name)), filepath.Base(name), maxSettings)
}

// settingsReader collects the rules of one folder.
type settingsReader struct {
	dir    string
	parent bool // the folder is above the imported one, where other programs may keep private files
	read   func(name string) ([]byte, error)
	rules  []rule
}

func allFiles(string) bool { return true }

// open reads a settings file and reports whether it exists. If it cannot be read, all files that
// it may apply to are withheld.
func (r *settingsReader) open(name string) ([]byte, bool) {
	data, err := r.read(name)
	if missing(err) || isFolder(err) || r.parent && errors.Is(err, fs.ErrPermission) {
		return nil, false
	}
	if err != nil || len(data) > maxSettings {
		r.withhold(name, "it cannot be read", allFiles)
		return nil, false
	}
	return data, true
}

func (r *settingsReader) displayName(name string) string {
	return path.Join(filepath.ToSlash(r.dir), name)
}

// withhold adds a rule that withholds files because of settings that are not understood.
func (r *settingsReader) withhold(name, why string, applies func(string) bool) {
	r.rules = append(r.rules, rule{applies: applies, keys: []inherited{{
		file: r.displayName(name), withheld: fmt.Sprintf("%s may withhold it, but %s", r.displayName(name), why),
		fix: "write draft: true or false into the file's own front matter, and correct or remove the setting",
	}}})
}

// addRule adds a rule with the visibility keys of a mapping; other keys are ignored.
func (r *settingsReader) addRule(name string, line int, values map[string]any, applies func(string) bool, rank int) {
	var gives []inherited
	for _, key := range slices.Sorted(maps.Keys(values)) {
		for _, e := range flatten(entry{key, values[key], max(line, 1)}) {
			if mayBeVisibilityKey(e.key) {
				gives = append(gives, inherited{entry: e, file: r.displayName(name)})
			}
		}
	}
	if len(gives) > 0 {
		r.rules = append(r.rules, rule{applies: applies, keys: gives, priority: rank})
	}
}

// flatten returns the entries of a mapping in which generators keep custom keys, and every other
// entry itself.
func flatten(e entry) []entry {
	fields, ok := e.value.(map[string]any)
	if !ok || !containerKeys[normalKey(e.key)] {
		return []entry{e}
	}
	var out []entry
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, entry{key, fields[key], e.line})
	}
	return out
}

// mayBeVisibilityKey reports whether a key may withhold an article.
func mayBeVisibilityKey(key string) bool {
	name := normalKey(key)
	_, known := visibilityKeys[name]
	return known || looksLikeVisibility.MatchString(name)
}

// isSettings reports whether a file may hold settings for other files.
func isSettings(name string) bool {
	base := path.Base(name)
	switch {
	case strings.HasPrefix(base, "_index."), strings.Contains(base, ".11tydata."), strings.HasPrefix(base, "_config."):
		return true
	}
	stem := strings.TrimSuffix(base, path.Ext(base))
	return path.Ext(base) == ".json" && stem == path.Base(path.Dir(name)) || slices.Contains(hugoFiles, base)
}

// isFolder reports whether a file could not be read because it is a folder.
func isFolder(err error) bool {
	var wrong *notRegular
	return errors.As(err, &wrong) && wrong.mode.IsDir()
}

package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
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
}

const (
	maxSettings = 1 << 20 // bytes of a settings file
	maxParents  = 8       // folders above the imported one that are read
)

func newSettings(files fs.FS, folder string) *settings {
	s := &settings{files: files, folderPath: folder, folders: map[string][]rule{}}
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

// hugoFiles are the paths of Hugo's configuration.
var hugoFiles = hugoFileNames()

func hugoFileNames() []string {
	var out []string
	for _, stem := range []string{"hugo", "config", "config/_default/hugo", "config/_default/config", "config/_default/cascade", "config/production/hugo", "config/production/config", "config/production/cascade"} {
		for _, ext := range []string{".toml", ".yaml", ".yml", ".json"} {
			out = append(out, stem+ext)
		}
	}
	return out
}

// hugoConfig reads the cascade in Hugo's configuration.
func (r *settingsReader) hugoConfig() {
	for _, name := range hugoFiles {
		data, there := r.open(name)
		own := strings.HasPrefix(path.Base(name), "cascade.") // all of the file is the cascade
		if !there || !own && !bytes.Contains(data, []byte("cascade")) {
			continue
		}
		m, problem := parseSettings(name, data)
		switch {
		case problem != nil:
			r.withhold(name, problem.What, allFiles)
		case own:
			r.cascade(name, 1, m.plain(), 0)
		default:
			r.cascade(name, m.lines["cascade"], m.values["cascade"], 0)
		}
	}
}

// parseSettings parses a settings file in YAML, TOML or JSON.
func parseSettings(name string, data []byte) (meta, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch path.Ext(name) {
	case ".toml":
		return parseFrontMatter(data, "toml", 0)
	case ".json":
		if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
			return newMeta(), nil // a JSON file with a list holds other data
		}
		m, _, problem := parseJSON(data, 0)
		return m, problem
	}
	return parseFrontMatter(data, "yaml", 0)
}

// plain returns the values by key, with the keys as written in the file.
func (m meta) plain() map[string]any {
	out := make(map[string]any, len(m.entries))
	for _, e := range m.entries {
		out[e.key] = e.value
	}
	return out
}

// cascade reads Hugo's cascade: a mapping of keys, or a list of mappings. Each may have a target,
// which selects pages.
func (r *settingsReader) cascade(name string, line int, value any, rank int) {
	if value == nil {
		return
	}
	for _, one := range list(value) {
		fields, ok := one.(map[string]any)
		if !ok {
			r.withhold(name, fmt.Sprintf("its cascade %s is not understood", quoteValue(one)), allFiles)
			continue
		}
		applies, keys := allFiles, map[string]any{}
		for key, v := range fields {
			if key = strings.ToLower(key); key == "_target" || key == "target" {
				applies = hugoTarget(v)
				continue
			}
			keys[key] = v
		}
		r.addRule(name, line, keys, applies, rank)
	}
}

// hugoTarget returns a function that reports whether the target of a cascade selects a file. In
// doubt it selects all files, so that nothing is published by mistake.
func hugoTarget(value any) func(name string) bool {
	fields, ok := value.(map[string]any)
	if !ok {
		return allFiles
	}
	if kind := fmt.Sprint(fields["kind"]); fields["kind"] != nil && !compileGlob(kind).MatchString("page") {
		return func(string) bool { return false }
	}
	if environment := fmt.Sprint(fields["environment"]); fields["environment"] != nil && !compileGlob(environment).MatchString("production") {
		return func(string) bool { return false }
	}
	if fields["path"] == nil {
		return allFiles
	}
	pattern := compileGlob(fmt.Sprint(fields["path"]))
	return func(name string) bool {
		page := "/" + strings.TrimSuffix(name, path.Ext(name))
		page = strings.TrimSuffix(page, "/index")
		if pattern.MatchString(page) {
			return true
		}
		_, below, found := strings.Cut(page, "/content/") // the folder of a site's pages
		return found && pattern.MatchString("/"+below)
	}
}

// compileGlob compiles a glob pattern of Hugo or Jekyll. An invalid pattern matches everything.
func compileGlob(pattern string) *regexp.Regexp {
	var out strings.Builder
	out.WriteString("(?i)^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "/**"):
			out.WriteString("(/.*)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			out.WriteString(".*")
			i++
		case c == '*':
			out.WriteString("[^/]*")
		case c == '?':
			out.WriteString("[^/]")
		case c == '{':
			out.WriteString("(?:")
		case c == '}':
			out.WriteString(")")
		case c == ',':
			out.WriteString("|")
		default:
			out.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	compiled, err := regexp.Compile(out.String() + "$")
	if err != nil {
		return regexp.MustCompile("")
	}
	return compiled
}

// sectionPage reads the front matter of a section's page (Hugo, Zola): its cascade, and draft,
// since Zola does not build the pages of a section that is a draft.
func (r *settingsReader) sectionPage() {
	for _, name := range []string{"_index.md", "_index.markdown", "_index.html"} {
		data, there := r.open(name)
		if !there {
			continue
		}
		s, problem := splitFrontMatter(data)
		if problem != nil {
			r.withhold(name, problem.What, allFiles)
			continue
		}
		keys := map[string]any{}
		if value := s.meta.values["draft"]; value != nil {
			keys["draft"] = value
		}
		r.addRule(name, s.meta.lines["draft"], keys, allFiles, 10)
		r.cascade(name, s.meta.lines["cascade"], s.meta.values["cascade"], 11)
	}
}

// jekyllConfig reads the defaults and the collections in Jekyll's configuration.
func (r *settingsReader) jekyllConfig() {
	for _, name := range []string{"_config.yml", "_config.yaml", "_config.toml"} {
		data, there := r.open(name)
		if !there || !bytes.Contains(data, []byte("defaults")) && !bytes.Contains(data, []byte("output")) {
			continue
		}
		m, problem := parseSettings(name, data)
		if problem != nil {
			r.withhold(name, problem.What, allFiles)
			continue
		}
		r.jekyllDefaults(name, m)
		r.jekyllCollections(name, m)
	}
}

// jekyllDefaults adds a rule for each of Jekyll's defaults.
func (r *settingsReader) jekyllDefaults(name string, m meta) {
	line := m.lines["defaults"]
	for _, one := range list(m.values["defaults"]) {
		fields, _ := one.(map[string]any)
		values, understood := fields["values"].(map[string]any)
		scope, scoped := fields["scope"].(map[string]any)
		if !understood || !scoped {
			r.withhold(name, fmt.Sprintf("its defaults %s are not understood", quoteValue(one)), allFiles)
			continue
		}
		where, kind := strings.Trim(field(scope, "path"), "/"), field(scope, "type")
		rank := len(where) // in Jekyll a more specific scope overrides a wider one
		if kind != "" {
			rank++
		}
		r.addRule(name, line, values, func(file string) bool { return inScope(file, where, kind) }, 100+rank)
	}
}

// inScope reports whether a file is in a scope of Jekyll's defaults: a path or pattern, and a
// type.
func inScope(file, where, kind string) bool {
	folders := strings.Split(path.Dir(file), "/")
	switch kind {
	case "":
	case "pages":
		if slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(folder, "_") }) {
			return false
		}
	default:
		if !slices.Contains(folders, "_"+kind) {
			return false
		}
	}
	if strings.ContainsAny(where, "*?{") {
		return compileGlob(where).MatchString(file) || compileGlob(where+"/**").MatchString(file)
	}
	return where == "" || file == where || strings.HasPrefix(file, where+"/")
}

// jekyllCollections withholds the files of collections for which Jekyll makes no pages.
func (r *settingsReader) jekyllCollections(name string, m meta) {
	collections, _ := m.values["collections"].(map[string]any)
	for label, one := range collections {
		fields, _ := one.(map[string]any)
		if output, says := parseBool(fields["output"]); !says || output {
			continue
		}
		r.addRule(name, m.lines["collections"], map[string]any{"draft": "true"}, func(file string) bool { return inScope(file, "", label) }, 99)
	}
}

// eleventyData reads the data files of a folder or an article (Eleventy). Scripts cannot be run,
// so files are withheld if a script names a key that may withhold them.
func (r *settingsReader) eleventyData(stem string) {
	if stem == "." || stem == "/" {
		return
	}
	for i, name := range []string{stem + ".json", stem + ".11tydata.json"} {
		data, there := r.open(name)
		if !there {
			continue
		}
		m, problem := parseSettings(name, data)
		if problem != nil {
			r.withhold(name, problem.What, allFiles)
			continue
		}
		for _, e := range m.entries {
			r.addRule(name, e.line, map[string]any{e.key: e.value}, allFiles, 20+i)
		}
	}
	for _, ext := range []string{".js", ".cjs", ".mjs"} {
		name := stem + ".11tydata" + ext
		if data, there := r.open(name); there {
			if key := scriptKey.Find(data); key != nil {
				r.withhold(name, fmt.Sprintf("it is a script that cannot be worked out here, and it names %s", key), allFiles)
			}
		}
	}
}

// scriptKey matches a name in a script that may withhold an article.
var scriptKey = regexp.MustCompile(`(?i)\w*(?:draft|publish|private|hidden|unlisted|visib|embargo|expir|withdrawn|excludeFromCollections)\w*|permalink["']?\s*[:(][^\n]*\bfalse`)

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

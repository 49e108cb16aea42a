package ingest

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/schedule"
)

// generator is a static site generator.
type generator int

const (
	jekyll generator = 1 + iota
	hexo
	hugo
	zola
	eleventy
	docusaurus
	pelican
	vitepress
)

// site is what the configuration of a generator says about its files: which of them are
// articles, in which language, and at which addresses they were published.
type site struct {
	generator generator
	values    map[string]any // configuration, by key in lower case
	script    string         // configuration that is a program: only plain settings are found in it
	ignored   []string       // globs of files that are not published (.eleventyignore)
	zone      *time.Location // for dates without a zone; nil if the configuration names none
	contents  []string       // folders with articles, below the site's folder; empty for all
	languages map[string]string
	language  string // of articles that give none, and whose text does not show it
}

// siteOf returns the site that a file belongs to and the path of the file below the site's
// folder, or nil.
func (s *settings) siteOf(name string) (found *site, below string) {
	if s == nil {
		return nil, ""
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if found := s.siteAt(dir, false); found != nil {
			return found, strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		}
		if dir == "." || dir == "/" {
			break
		}
	}
	for _, parent := range slices.Backward(s.parents) {
		if found := s.siteAt(parent, true); found != nil {
			below, err := filepath.Rel(parent, filepath.Join(s.folderPath, filepath.FromSlash(name)))
			if err != nil {
				return nil, ""
			}
			return found, filepath.ToSlash(below)
		}
	}
	return nil, ""
}

// siteAt returns the site whose configuration is in a folder, or nil.
func (s *settings) siteAt(dir string, parent bool) *site {
	if known, read := s.sites[dir]; read {
		return known
	}
	r := siteReader{read: func(name string) []byte {
		var data []byte
		var err error
		if parent {
			data, err = readOutside(filepath.Join(dir, filepath.FromSlash(name)))
		} else {
			data, err = readBounded(s.files, path.Join(dir, name), maxSettings)
		}
		if err != nil || len(data) > maxSettings {
			return nil
		}
		return data
	}, folder: func(name string) bool {
		if parent {
			info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
			return err == nil && info.IsDir()
		}
		return isDirectory(s.files, path.Join(dir, name))
	}}
	found := r.site()
	s.sites[dir] = found
	return found
}

// articles returns the files of which the generators of their sites make pages. If that were
// none, the configuration was misread, and all files are returned.
func (s *settings) articles(names []string) []string {
	out := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		found, below := s.siteOf(name)
		return found != nil && !found.publishes(below)
	})
	if len(out) == 0 {
		return names
	}
	return out
}

func isDirectory(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.IsDir()
}

// siteReader reads the configuration of a site in one folder.
type siteReader struct {
	read   func(name string) []byte // nil for a file that cannot be read
	folder func(name string) bool
}

// scripts are the configurations that are programs. They are not run.
var scripts = []struct {
	generator generator
	names     []string
}{
	{eleventy, []string{"eleventy.config.js", "eleventy.config.mjs", "eleventy.config.cjs", "eleventy.config.ts", ".eleventy.js"}},
	{docusaurus, []string{"docusaurus.config.ts", "docusaurus.config.js", "docusaurus.config.mjs"}},
	{pelican, []string{"pelicanconf.py"}},
	{vitepress, []string{".vitepress/config.ts", ".vitepress/config.js", ".vitepress/config.mts", ".vitepress/config.mjs"}},
}

func (r siteReader) site() *site {
	for _, name := range []string{"_config.yml", "_config.yaml", "_config.toml"} {
		if data := r.read(name); data != nil {
			return r.jekyllOrHexo(name, data)
		}
	}
	if found := r.hugoOrZola(); found != nil {
		return found
	}
	for _, one := range scripts {
		for _, name := range one.names {
			if data := r.read(name); data != nil {
				return r.fromScript(one.generator, string(data))
			}
		}
	}
	return nil
}

// hexoKeys are keys of a _config.yml that Hexo knows and Jekyll does not.
var hexoKeys = []string{"new_post_name", "source_dir", "public_dir", "skip_render", "default_layout", "post_asset_folder", "archive_dir", "filename_case"}

func (r siteReader) jekyllOrHexo(name string, data []byte) *site {
	m, problem := parseSettings(name, data)
	if problem != nil {
		return nil // settings withholds its files
	}
	s := &site{generator: jekyll, values: m.values, zone: zoneOf(m.values["timezone"])}
	if slices.ContainsFunc(hexoKeys, m.has) || r.folder("source/_posts") {
		s.generator = hexo
		s.contents = []string{firstWord(s.text("source_dir"), "source")}
		s.language = languageOf(list(m.values["language"])...)
		return s
	}
	s.language = languageOf(m.values["lang"], m.values["locale"], m.values["language"])
	return s
}

// hugoOrZola reads the configuration of Hugo, which may be divided into several files, or Zola.
func (r siteReader) hugoOrZola() *site {
	s := &site{generator: hugo, values: map[string]any{}, languages: map[string]string{}}
	for _, name := range slices.Concat(hugoFiles, []string{"zola.toml"}) {
		data := r.read(name)
		if data == nil || strings.HasPrefix(path.Base(name), "cascade") {
			continue
		}
		m, problem := parseSettings(name, data)
		if problem != nil {
			continue
		}
		for key, value := range m.values {
			s.values[key] = value
		}
	}
	if s.values["base_url"] != nil {
		s.generator, s.contents, s.language = zola, []string{"content"}, languageOf(s.values["default_language"])
		return s
	}
	if s.values["baseurl"] == nil && s.values["contentdir"] == nil && s.values["languagecode"] == nil && s.values["permalinks"] == nil {
		return nil
	}
	s.zone = zoneOf(s.values["timezone"])
	s.contents = []string{strings.Trim(firstWord(s.text("contentdir"), "content"), "/")}
	r.hugoDivided(s)
	main := firstWord(s.text("defaultcontentlanguage"), "en")
	if slices.ContainsFunc(s.contents[1:], func(dir string) bool { return s.languages[dir] == languageOf(main) }) {
		s.contents = s.contents[1:] // each language has a folder of its own, and no other folder is built
	}
	s.language = languageOf(s.values["languagecode"], s.values["locale"], main)
	if s.values["languages"] != nil {
		s.language = languageOf(main)
	}
	return s
}

// hugoDivided reads the parts of Hugo's configuration that may have files of their own:
// permalinks and languages.
func (r siteReader) hugoDivided(s *site) {
	for _, part := range []string{"permalinks", "languages"} {
		for _, ext := range []string{".toml", ".yaml", ".yml", ".json"} {
			name := "config/_default/" + part + ext
			if data := r.read(name); data != nil && s.values[part] == nil {
				if m, problem := parseSettings(name, data); problem == nil {
					s.values[part] = m.plain()
				}
			}
		}
	}
	languages, _ := s.values["languages"].(map[string]any)
	for tag, value := range languages {
		fields, _ := value.(map[string]any)
		s.addLanguage(tag, field(lowerKeys(fields), "contentdir"))
	}
	for _, tag := range hugoTags { // a file for each language
		for _, ext := range []string{".toml", ".yaml"} {
			name := "config/_default/languages." + tag + ext
			data := r.read(name)
			if data == nil {
				continue
			}
			if m, problem := parseSettings(name, data); problem == nil {
				s.addLanguage(tag, stringOf(m.values["contentdir"]))
				s.values["languages"] = true
			}
		}
	}
}

// hugoTags are the languages that are looked for in files of their own.
var hugoTags = strings.Fields("ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl nn no pl pt pt-br pt-pt ro ru si sk sl sr sv ta th tr uk ur uz vi zh zh-cn zh-hans zh-hant zh-tw")

// addLanguage records the folder of a language, if it has one.
func (s *site) addLanguage(tag, dir string) {
	tag, known := normalLanguage(tag)
	if !known {
		return
	}
	s.languages["/"+strings.ToLower(tag)] = tag // the part of addresses
	if dir = strings.Trim(dir, "/"); dir != "" {
		s.languages[dir] = tag
		s.contents = append(s.contents, dir)
	}
}

// fromScript finds plain settings in a configuration that is a program.
func (r siteReader) fromScript(g generator, text string) *site {
	s := &site{generator: g, script: text}
	switch g {
	case pelican:
		text += "\n" + string(r.read("publishconf.py"))
		s.script = text
		s.contents = []string{strings.Trim(firstWord(s.setting("PATH"), "content"), "/")}
		s.zone = zoneOf(s.setting("TIMEZONE"))
		s.language = languageOf(s.setting("DEFAULT_LANG"))
	case eleventy:
		if input := strings.Trim(strings.TrimPrefix(s.setting("input"), "./"), "/"); input != "" && input != "." {
			s.contents = []string{input}
		}
		for line := range bytes.Lines(r.read(".eleventyignore")) {
			if name := strings.Trim(strings.TrimSpace(string(line)), "/"); name != "" && !strings.HasPrefix(name, "#") {
				s.ignored = append(s.ignored, strings.TrimPrefix(name, "./"))
			}
		}
	}
	return s
}

// setting returns a setting of a script: a name, a colon or an equals sign, and a quoted text at
// the start of a line.
func (s *site) setting(name string) string {
	found := regexp.MustCompile(`(?m)^[ \t]*["']?`+regexp.QuoteMeta(name)+`["']?[ \t]*[:=][ \t]*u?(?:"([^"\n]*)"|'([^'\n]*)')`).FindAllStringSubmatch(s.script, -1)
	if len(found) == 0 {
		return ""
	}
	last := found[len(found)-1]
	return last[1] + last[2]
}

// text returns a text of the configuration.
func (s *site) text(key string) string { return strings.TrimSpace(stringOf(s.values[key])) }

func firstWord(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func lowerKeys(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for key, value := range fields {
		out[strings.ToLower(key)] = value
	}
	return out
}

// zoneOf returns the zone that a configuration names, or nil.
func zoneOf(value any) *time.Location {
	name := strings.TrimSpace(stringOf(value))
	if name == "" {
		return nil
	}
	zone, err := schedule.LoadZone(name)
	if err != nil {
		return nil
	}
	return zone
}

// languageOf returns the first value that is a language, or an empty string.
func languageOf(values ...any) string {
	for _, value := range values {
		if tag, ok := normalLanguage(stringOf(value)); ok {
			return tag
		}
	}
	return ""
}

// templateFolders hold templates, data and output of generators, never articles.
var templateFolders = map[string]bool{"_includes": true, "_layouts": true, "_data": true, "_sass": true, "_site": true, "_plugins": true, "_templates": true, "node_modules": true}

// publishes reports whether the generator of the site makes a page of a file. below is its path
// below the site's folder.
func (s *site) publishes(below string) bool {
	folders := strings.Split(path.Dir(below), "/")
	switch {
	case slices.ContainsFunc(folders, func(f string) bool { return templateFolders[f] }):
		return false
	case len(s.contents) > 0 && !slices.ContainsFunc(s.contents, func(dir string) bool { return dir == "." || strings.HasPrefix(below, dir+"/") }):
		return false
	case isPlain(below): // generators copy text files as they are
		return false
	case slices.ContainsFunc(s.ignored, func(pattern string) bool { return matchesBelow(pattern, below) }):
		return false
	}
	switch s.generator {
	case jekyll:
		return s.jekyllPublishes(below, folders)
	case hexo:
		return !slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(f, "_") && f != "_posts" && f != "_drafts" })
	case docusaurus:
		return !slices.ContainsFunc(strings.Split(below, "/"), func(part string) bool { return strings.HasPrefix(part, "_") })
	case hugo:
		return !slices.ContainsFunc(list(s.values["ignorefiles"]), func(one any) bool {
			pattern, err := regexp.Compile(stringOf(one))
			return err == nil && stringOf(one) != "" && pattern.MatchString(below)
		})
	case zola:
		return !slices.ContainsFunc(list(s.values["ignored_content"]), func(one any) bool { return matchesBelow(stringOf(one), strings.TrimPrefix(below, "content/")) })
	}
	return true
}

func isPlain(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".txt" || ext == ".text"
}

// jekyllPublishes applies Jekyll's rules: folders with an underscore hold posts, drafts or
// collections, or nothing that is published, and the configuration excludes files.
func (s *site) jekyllPublishes(below string, folders []string) bool {
	collections, _ := s.values["collections"].(map[string]any)
	listed := list(s.values["collections"])
	for _, one := range list(s.values["defaults"]) {
		fields, _ := one.(map[string]any)
		scope, _ := fields["scope"].(map[string]any)
		listed = append(listed, field(scope, "type"))
	}
	for _, folder := range folders {
		label, underscore := strings.CutPrefix(folder, "_")
		if !underscore || label == "posts" || label == "drafts" || collections[label] != nil || slices.Contains(listed, any(label)) {
			continue
		}
		if !slices.ContainsFunc(list(s.values["include"]), func(one any) bool { return stringOf(one) == folder }) {
			return false
		}
	}
	return !slices.ContainsFunc(list(s.values["exclude"]), func(one any) bool { return matchesBelow(strings.Trim(stringOf(one), "/"), below) })
}

// matchesBelow reports whether a file or a folder above it matches a glob.
func matchesBelow(pattern, below string) bool {
	if pattern == "" {
		return false
	}
	pattern = strings.TrimPrefix(pattern, "**/")
	compiled := compileGlob(pattern)
	for at := below; at != "." && at != "/"; at = path.Dir(at) {
		if compiled.MatchString(at) || !strings.Contains(pattern, "/") && strings.ContainsAny(pattern, "*?") && compiled.MatchString(path.Base(at)) {
			return true
		}
	}
	return false
}

// isPost reports whether the generator takes a file for a post, whatever it holds.
func (s *site) isPost(below string) bool {
	return s.generator == hexo && slices.Contains(strings.Split(path.Dir(below), "/"), "_posts")
}

// languageAt returns the language of a file by its folder, or an empty string.
func (s *site) languageAt(below string) string {
	for dir := path.Dir(below); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if tag := s.languages[dir]; tag != "" {
			return tag
		}
	}
	if rest, found := strings.CutPrefix(below, "i18n/"); found && s.generator == docusaurus {
		tag, _, _ := strings.Cut(rest, "/")
		return languageOf(tag)
	}
	return ""
}

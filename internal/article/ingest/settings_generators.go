package ingest

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

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

// compileGlob compiles a glob pattern of Hugo or Jekyll. A pattern that is not valid, or has sets of characters
// or escapes, matches everything, so that nothing is published by mistake.
func compileGlob(pattern string) *regexp.Regexp {
	if strings.ContainsAny(pattern, `[\`) {
		return regexp.MustCompile("")
	}
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

package ingest

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// published is what the address of an article depends on.
type published struct {
	below      string // path of the file below the site's folder
	dir, name  string // folder and name of the file without extension, date and language
	slug       string // in the front matter; may be empty
	title      string
	language   string
	categories []string
	date       time.Time
	meta       meta
}

// address returns the path at which the generator of the site published an article, or an empty
// string if that is not certain.
func (s *site) address(a *article.Article, m meta, below string, zone *time.Location) string {
	if s.zone != nil {
		zone = s.zone
	}
	_, stem := cutNameLanguage(stem(below))
	p := published{below: below, dir: path.Dir(below), name: stem, slug: stringOf(m.values["slug"]), title: a.Title, language: a.Language, date: a.Published.In(zone), meta: m}
	p.categories = append(names(m.values["categories"], m.spaced), names(m.values["category"], false)...)
	out := ""
	switch s.generator {
	case jekyll:
		out = s.jekyllAddress(p)
	case hexo:
		out = s.hexoAddress(p)
	case hugo:
		out = s.hugoAddress(p)
	case zola:
		out = s.zolaAddress(p)
	case eleventy:
		out = s.eleventyAddress(p)
	case docusaurus:
		out = s.docusaurusAddress(p)
	case pelican:
		out = s.pelicanAddress(p)
	case vitepress:
		out = "/" + strings.TrimSuffix(path.Join(p.dir, p.name), "index")
		if !strings.Contains(s.script, "cleanUrls: true") && !strings.HasSuffix(out, "/") {
			out += ".html"
		}
	}
	if out == "" || strings.ContainsAny(out, ":{}") {
		return ""
	}
	return (&url.URL{Path: path.Clean("/"+out) + trailingSlash(out)}).EscapedPath()
}

func trailingSlash(text string) string {
	if strings.HasSuffix(text, "/") && text != "/" {
		return "/"
	}
	return ""
}

// variable matches a variable of a pattern for addresses, such as :year.
var variable = regexp.MustCompile(`:[a-z_]+`)

// fill replaces the variables of a pattern. Unknown ones stay, which makes the address uncertain.
func (p published) fill(pattern string, more map[string]string) string {
	return variable.ReplaceAllStringFunc(pattern, func(name string) string {
		if value, known := more[name[1:]]; known {
			return value
		}
		if value, known := p.dateParts()[name[1:]]; known {
			return value
		}
		return name
	})
}

func (p published) dateParts() map[string]string {
	d := p.date
	return map[string]string{
		"year": d.Format("2006"), "month": d.Format("01"), "day": d.Format("02"), "hour": d.Format("15"), "minute": d.Format("04"), "second": d.Format("05"),
		"i_month": strconv.Itoa(int(d.Month())), "i_day": strconv.Itoa(d.Day()), "y_day": fmt.Sprintf("%03d", d.YearDay()), "yearday": strconv.Itoa(d.YearDay()),
		"short_year": d.Format("06"), "short_month": d.Format("Jan"), "long_month": d.Format("January"), "monthname": d.Format("January"), "timestamp": strconv.FormatInt(d.Unix(), 10),
	}
}

// jekyllStyles are the names of Jekyll's built-in patterns.
var jekyllStyles = map[string]string{
	"date": "/:categories/:year/:month/:day/:title:output_ext", "pretty": "/:categories/:year/:month/:day/:title/",
	"ordinal": "/:categories/:year/:y_day/:title:output_ext", "none": "/:categories/:title:output_ext",
}

var notInJekyllURL = regexp.MustCompile(`[^\p{L}\p{M}\p{N}._~!$&'()+,;=@]+`)

func (s *site) jekyllAddress(p published) string {
	folders := strings.Split(p.dir, "/")
	posts := slices.Index(folders, "_posts")
	pattern := s.jekyllPattern(p, posts >= 0)
	if style, known := jekyllStyles[pattern]; known {
		pattern = style
	}
	if posts < 0 {
		return s.jekyllPage(p)
	}
	_, name := cutNameDate(p.name)
	title := strings.Trim(notInJekyllURL.ReplaceAllString(firstWord(p.slug, name), "-"), "-")
	var categories []string
	for _, one := range slices.Concat(folders[:posts], p.categories) {
		if one = strings.ToLower(one); one != "." && one != "" && !slices.Contains(categories, one) {
			categories = append(categories, one)
		}
	}
	return s.text("baseurl") + p.fill(pattern, map[string]string{
		"categories": strings.Join(categories, "/"), "title": title, "slug": article.Slugify(title), "output_ext": ".html", "collection": "posts", "name": article.Slugify(name),
	})
}

// jekyllPattern returns the pattern for a file: of its front matter, of the defaults, of the
// collection of posts, or of the site.
func (s *site) jekyllPattern(p published, post bool) string {
	pattern := stringOf(p.meta.values["permalink"])
	rank := -1
	for _, one := range list(s.values["defaults"]) {
		fields, _ := one.(map[string]any)
		values, _ := fields["values"].(map[string]any)
		scope, _ := fields["scope"].(map[string]any)
		where, kind := strings.Trim(field(scope, "path"), "/"), field(scope, "type")
		if text := field(values, "permalink"); text != "" && stringOf(p.meta.values["permalink"]) == "" && len(where) > rank && inScope(p.below, where, kind) {
			pattern, rank = text, len(where)
		}
	}
	if collections, _ := s.values["collections"].(map[string]any); pattern == "" && post {
		fields, _ := collections["posts"].(map[string]any)
		pattern = field(fields, "permalink")
	}
	return firstWord(pattern, s.text("permalink"), "date")
}

// jekyllPage returns the address of a page that is no post.
func (s *site) jekyllPage(p published) string {
	if strings.HasPrefix(p.dir, "_") || strings.Contains(p.dir, "/_") {
		return "" // a collection
	}
	out := s.text("baseurl") + "/" + path.Join(p.dir, p.name)
	switch pattern := s.text("permalink"); {
	case p.name == "index":
		return strings.TrimSuffix(out, "index")
	case pattern == "pretty" || strings.HasSuffix(pattern, "/"):
		return out + "/"
	}
	return out + ".html"
}

func (s *site) hexoAddress(p published) string {
	root := strings.TrimSuffix(s.text("root"), "/")
	_, below, post := strings.Cut(p.below, "_posts/")
	if !post {
		page := path.Join(strings.TrimPrefix(p.dir, s.contents[0]), p.name)
		if p.name == "index" {
			return root + strings.TrimSuffix(page, "index")
		}
		return root + page + ".html"
	}
	dir := path.Dir(below)
	name := p.name
	if strings.Contains(s.text("new_post_name"), ":year") { // Hexo cuts what that pattern puts before the title
		_, name = cutNameDate(name)
	}
	title := path.Join(dir, name)
	var categories []string
	for _, one := range p.categories {
		categories = append(categories, strings.ReplaceAll(one, " ", "-"))
	}
	category := firstWord(strings.Join(categories, "/"), s.text("default_category"), "uncategorized")
	return root + "/" + p.fill(firstWord(s.text("permalink"), ":year/:month/:day/:title/"), map[string]string{
		"title": title, "name": name, "category": category, "post_title": article.Slugify(p.title), "lang": p.language,
	})
}

// hugoName returns a name as Hugo writes it in addresses.
func hugoName(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), " ", "-"))
}

func (s *site) hugoAddress(p published) string {
	dir := ""
	for _, content := range s.contents {
		if rest, found := strings.CutPrefix(p.dir+"/", content+"/"); found {
			dir = strings.Trim(rest, "/")
		}
	}
	name := p.name
	if name == "index" {
		dir, name = path.Dir(dir), path.Base(dir)
	}
	dated, short := cutNameDate(name)
	fromName := strings.Contains(fmt.Sprint(s.values["frontmatter"]), ":filename") && dated != ""
	if fromName {
		name = short
	}
	prefix := ""
	if tag := strings.ToLower(p.language); s.values["languages"] != nil && s.languages["/"+tag] != "" {
		main := strings.ToLower(firstWord(s.text("defaultcontentlanguage"), "en"))
		if inDir, _ := parseBool(s.values["defaultcontentlanguageinsubdir"]); tag != main || inDir {
			prefix = "/" + tag
		}
	}
	section, _, _ := strings.Cut(dir, "/")
	last := hugoName(firstWord(p.slug, name))
	out := path.Join("/", hugoName(dir), last)
	if pattern := s.hugoPattern(section); pattern != "" {
		out = strings.TrimSuffix(p.fill(pattern, map[string]string{
			"slug": hugoName(firstWord(p.slug, p.title)), "slugorfilename": last, "slugorcontentbasename": last, "title": hugoName(p.title),
			"filename": hugoName(name), "contentbasename": hugoName(name), "section": section, "sections": hugoName(dir),
		}), "/")
	}
	ugly, isTruth := parseBool(s.values["uglyurls"])
	if bySection, ok := s.values["uglyurls"].(map[string]any); ok && !isTruth {
		ugly, _ = parseBool(bySection[section])
	}
	if ugly {
		return prefix + out + ".html"
	}
	return prefix + out + "/"
}

// hugoPattern returns the pattern for the pages of a section, or an empty string.
func (s *site) hugoPattern(section string) string {
	patterns, _ := s.values["permalinks"].(map[string]any)
	if pages, ok := patterns["page"].(map[string]any); ok {
		patterns = pages
	}
	return field(patterns, section)
}

func (s *site) zolaAddress(p published) string {
	if own := stringOf(p.meta.values["path"]); own != "" {
		return "/" + strings.Trim(own, "/") + "/"
	}
	dir, name := strings.Trim(strings.TrimPrefix(p.dir+"/", "content/"), "/"), p.name
	if name == "index" {
		dir, name = path.Dir(dir), path.Base(dir)
	}
	_, name = cutNameDate(name)
	prefix := ""
	if tag, _ := cutNameLanguage(stem(p.below)); tag != "" && tag != s.language {
		prefix = "/" + tag
	}
	var parts []string
	for _, part := range strings.Split(path.Join(dir, firstWord(p.slug, name)), "/") {
		parts = append(parts, article.Slugify(part))
	}
	return prefix + "/" + strings.Join(parts, "/") + "/"
}

func (s *site) eleventyAddress(p published) string {
	if p.meta.has("permalink") { // a template, or it would have been read as an address
		return ""
	}
	dir := p.dir
	if len(s.contents) > 0 {
		dir = strings.TrimPrefix(strings.TrimPrefix(dir, s.contents[0]), "/")
	}
	_, name := cutNameDate(p.name)
	if name == "index" || name == path.Base(dir) { // fourth/fourth.md is the page of its folder
		name = ""
	}
	return "/" + path.Join(dir, name) + "/"
}

// blogRoute matches the path of a blog in a configuration of Docusaurus.
var blogRoute = regexp.MustCompile(`\bblog: *\{[^{}]*\brouteBasePath: *["']([^"']*)["']`)

func (s *site) docusaurusAddress(p published) string {
	folders := strings.Split(p.dir, "/")
	blog := slices.Index(folders, "blog")
	if blog < 0 || p.date.IsZero() {
		return ""
	}
	base := "blog"
	if found := blogRoute.FindStringSubmatch(s.script); found != nil {
		base = strings.Trim(found[1], "/")
	}
	root := strings.TrimSuffix(s.setting("baseUrl"), "/") + "/" + base + "/"
	if p.slug != "" {
		return root + strings.Trim(p.slug, "/")
	}
	name := strings.TrimSuffix(path.Join(path.Join(folders[blog+1:]...), p.name), "/index")
	date, short := cutNameDate(name)
	if date == "" {
		return root + name
	}
	return root + strings.ReplaceAll(date, "-", "/") + "/" + short
}

// dateField matches a date in a pattern of Pelican, such as {date:%Y}.
var dateField = regexp.MustCompile(`\{date:((?:[^{}])*)\}`)

var strftime = strings.NewReplacer("%Y", "2006", "%m", "01", "%d", "02", "%b", "Jan", "%B", "January", "%H", "15", "%M", "04", "%-m", "1", "%-d", "2", "%y", "06")

func (s *site) pelicanAddress(p published) string {
	pattern := firstWord(s.setting("ARTICLE_URL"), "{slug}.html")
	if p.language != "" && s.language != "" && stringOf(p.meta.values["lang"]) != "" && p.language != s.language {
		pattern = firstWord(s.setting("ARTICLE_LANG_URL"), "{slug}-{lang}.html")
	}
	slug := firstWord(p.slug, article.Slugify(p.title))
	if s.setting("SLUGIFY_SOURCE") == "basename" || strings.Contains(s.setting("FILENAME_METADATA"), "slug") {
		slug = firstWord(p.slug, p.name)
	}
	category := firstWord(s.setting("DEFAULT_CATEGORY"), "misc")
	if dir := strings.TrimPrefix(strings.TrimPrefix(p.dir, s.contents[0]), "/"); dir != "" && dir != "." {
		category = path.Base(dir)
	}
	if len(p.categories) > 0 {
		category = p.categories[0]
	}
	pattern = dateField.ReplaceAllStringFunc(pattern, func(text string) string {
		return p.date.Format(strftime.Replace(dateField.FindStringSubmatch(text)[1]))
	})
	return "/" + strings.NewReplacer("{slug}", slug, "{category}", article.Slugify(category), "{lang}", p.language).Replace(pattern)
}

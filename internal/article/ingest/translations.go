package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// translationKeys are the front matter keys that the translations of one article share: of Hugo,
// of plugins of Jekyll (polyglot, multiple languages) and of Eleventy.
var translationKeys = []string{"translationkey", "translation_key", "translation_id", "translationid", "page_id", "lang-ref", "lang_ref", "langref", "ref", "i18n_id"}

// translation returns what the translations of an article have in common: a key in the front
// matter, or the path of the file without the language in its name and folders.
func (im *importer) translation(a *article.Article, m meta) string {
	for _, key := range translationKeys {
		if text := im.text(m, key, maxTitle); text != "" {
			return "key:" + hashOf(text)
		}
	}
	if im.severalArticles {
		return ""
	}
	dir, name := path.Split(im.options.Source + im.file.Name)
	_, name = cutNameLanguage(stem(name))
	var folders []string
	for _, folder := range strings.Split(strings.Trim(dir, "/"), "/") {
		if !isFolderOf(folder, a.Language) {
			folders = append(folders, folder)
		}
	}
	dir = strings.Join(folders, "/")
	if im.site != nil && im.site.generator == docusaurus { // i18n/fr/docusaurus-plugin-content-blog/… beside blog/…
		dir = strings.Replace(dir, "/i18n/docusaurus-plugin-content-blog", "/blog", 1)
	}
	return "file:" + hashOf(dir+"\x00"+name)
}

// isFolderOf reports whether a folder has the name of a language.
func isFolderOf(folder, tag string) bool {
	if tag == "" || len(folder) > 11 || strings.HasPrefix(folder, ".") {
		return false
	}
	named, ok := normalLanguage(folder)
	if !ok {
		return false
	}
	primary, _, _ := strings.Cut(tag, "-")
	return strings.EqualFold(named, tag) || strings.EqualFold(named, primary)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

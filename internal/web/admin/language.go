package admin

import (
	"embed"
	"io/fs"
	"net/http"
	"sync"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/view"
	"github.com/tidings-press/tidings/internal/words"
)

//go:embed words/*/*.json
var wordFiles embed.FS

// Catalogue returns the translations of the admin, which mails to editors need too. The files are read
// once for the whole process.
func Catalogue() (*words.Catalogue, error) { return loadCatalogue() }

var loadCatalogue = sync.OnceValues(func() (*words.Catalogue, error) {
	folder, err := fs.Sub(wordFiles, "words")
	if err != nil {
		return nil, err
	}
	return words.Load(folder)
})

// pageLanguage is a language of the admin and its page templates, which are parsed when the first page in
// it is shown.
type pageLanguage struct {
	*words.Language
	pages func() (*view.Set, error)
}

// loadLanguages loads the languages of the admin. It parses the templates in English to find faults.
func (h *Handler) loadLanguages() error {
	catalogue, err := Catalogue()
	if err != nil {
		return err
	}
	folder, err := fs.Sub(files, "pages")
	if err != nil {
		return err
	}
	h.languages = map[string]*pageLanguage{}
	for _, tag := range catalogue.Tags() {
		l := catalogue.In(tag)
		h.languages[tag] = &pageLanguage{l, sync.OnceValues(func() (*view.Set, error) {
			return view.Load(folder, h.templateFuncs(l))
		})}
	}
	h.tags = catalogue.Tags()
	h.chooser = words.NewChooser(h.tags)
	_, err = h.languages["en"].pages()
	return err
}

// The language of a response is in its header Content-Language: the one that the request prefers, until
// the editor is known.
const languageHeader = "Content-Language"

// setLanguage sets the language of a response to the one that the request prefers.
func (h *Handler) setLanguage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(languageHeader, h.chooser.Choose(r.Header.Get("Accept-Language")))
}

// setLanguageOf sets the language of a response to the one that an editor has chosen, if any.
func (h *Handler) setLanguageOf(w http.ResponseWriter, editor store.Editor) {
	if h.languages[editor.Language] != nil {
		w.Header().Set(languageHeader, editor.Language)
	}
}

// words returns the language of a response.
func (h *Handler) words(w http.ResponseWriter) *pageLanguage {
	if l := h.languages[w.Header().Get(languageHeader)]; l != nil {
		return l
	}
	return h.languages["en"]
}

// languageList returns the languages of the admin, English first.
func (h *Handler) languageList() []*words.Language {
	var out []*words.Language
	for _, tag := range h.tags {
		out = append(out, h.languages[tag].Language)
	}
	return out
}

// changeLanguage stores the language in which an editor sees the admin.
func (h *Handler) changeLanguage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	tag := r.PostFormValue("language")
	if tag != "" && h.languages[tag] == nil {
		return invalid("The language was not changed", "Choose one of the languages in the list.", "/admin/account")
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.language", "editor", editorID(session.Editor), tag)
	if err := h.store.SetEditorLanguage(ctx, session.Editor.ID, tag); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor changed the language of the admin", "editor", session.Editor.ID, "language", tag)
	return redirectWithFlash(w, r, "/admin/account", "language")
}

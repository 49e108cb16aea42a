package admin

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/article/writing"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// articleChecks are the findings about an article that is being written.
type articleChecks struct {
	Problem  error // keeps it from being published; nil if nothing does
	Findings []articleCheck
	Words    int
}

// articleCheck is one finding, with its line in the text if it has one.
type articleCheck struct {
	Line int
	Text words.Text
}

// checkArticle returns what an editor may want to change before the article is published.
func (h *Handler) checkArticle(w article.Written) articleChecks {
	var out articleChecks
	if strings.TrimSpace(w.Title) == "" && strings.TrimSpace(w.Text) == "" {
		return out
	}
	made, problem := h.parseWritten(w)
	if problem != nil {
		out.Problem = &writing.ContentError{Problem: problem}
		return out
	}
	a := made.Article
	out.Words = len(article.Words(article.PlainText(a.HTML)))
	add := func(missing bool, text words.Text) {
		if missing {
			out.Findings = append(out.Findings, articleCheck{Text: text})
		}
	}
	without, strange := imagesOf(a.HTML)
	add(w.Title == "", words.T("The title is missing. The first heading or sentence is used."))
	add(strings.TrimSpace(w.Summary) == "", words.T("There is no summary. Feeds and emails show the first sentences."))
	add(without > 0, words.T("Images without alternative text: {0}. Describe them for readers who do not see them.", without))
	add(a.Image != nil && a.Image.Alt == "", words.T("The lead image has no alternative text."))
	add(len(strange) > 0, words.T("This site does not have these images: {0}. Upload them.", strings.Join(strange, ", ")))
	add(len(a.Tags) == 0, words.T("There are no tags. Digests and feeds choose articles by their tags."))
	for _, p := range made.Warnings {
		text := p.What
		if p.Fix != "" {
			text += "; " + p.Fix
		}
		out.Findings = append(out.Findings, articleCheck{p.Line, words.Verbatim(text)})
	}
	return out
}

// part renders a part of a page in the language of the response.
func (h *Handler) part(w http.ResponseWriter, name string, data any) ([]byte, error) {
	pages, err := h.words(w).pages()
	if err != nil {
		return nil, err
	}
	return pages.Part(name, data)
}

// imagesOf returns how many images in a text have no alternative text, and the images of this site that
// are not stored media.
func imagesOf(source string) (without int, strange []string) {
	z := html.NewTokenizer(strings.NewReader(source))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		t := z.Token()
		if t.Data != "img" {
			continue
		}
		src, alt := "", ""
		for _, at := range t.Attr {
			switch at.Key {
			case "src":
				src = at.Val
			case "alt":
				alt = at.Val
			}
		}
		if alt == "" {
			without++
		}
		if strings.HasPrefix(src, "/") && !strings.HasPrefix(src, "/media/") {
			strange = append(strange, src)
		}
	}
	return without, strange
}

// parseWritten returns the article that would be published now.
func (h *Handler) parseWritten(w article.Written) (ingest.Imported, *ingest.Problem) {
	if w.Published.IsZero() {
		w.Published = h.store.Now()
	}
	return h.writing.Parse(w)
}

// articlePreviewPolicy is the content security policy of previews: styles and images, but no script and no
// form. The page that frames a preview may read how far it is scrolled.
const articlePreviewPolicy = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src * data:; media-src *; form-action 'none'; base-uri 'none'; " +
	"frame-ancestors 'self'; sandbox allow-same-origin"

// feedEntry is an article as feed readers show it.
type feedEntry struct {
	*article.Article
	Site    string
	Content template.HTML
}

// previewArticle renders what is in the form as a web page, an entry of a feed or an item of a mail.
// It stores nothing.
func (h *Handler) previewArticle(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	unchanged(r)
	form, err := h.articleFormOf(r)
	if err != nil {
		form.TranslationOf = "" // the preview does not show dates that cannot be read
	}
	made, problem := h.parseWritten(form.Written)
	if problem != nil {
		made.Article = &article.Article{Title: form.Title, Published: h.store.Now()}
	}
	a := *made.Article
	a.ID, a.Slug = "preview", "preview"
	return h.writePreview(w, r, a, r.PostFormValue("as"))
}

// storedPreview shows the page of an article from another source.
func (h *Handler) storedPreview(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	a, err := h.store.Article(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.writePreview(w, r, a, r.URL.Query().Get("as"))
}

func (h *Handler) writePreview(w http.ResponseWriter, r *http.Request, a article.Article, as string) error {
	var body []byte
	var err error
	switch {
	case as == "mail":
		body, err = h.mailPreview(w, r, a)
	case as == "feed" || h.articlePreview == nil:
		content := feed.Body(a.HTML, h.config.Site.URL, a.URLFor(h.config.Site.URL))
		body, err = h.part(w, "article-feed-entry", feedEntry{&a, h.config.Site.Title.String(), template.HTML(content)}) // sanitized by feed.Body
	default:
		body, err = h.articlePreview(r, a)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", articlePreviewPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(bytes.TrimSpace(body))
	return nil
}

func (h *Handler) mailPreview(w http.ResponseWriter, r *http.Request, a article.Article) ([]byte, error) {
	v, name, err := h.engine.PreviewArticle(r.Context(), a)
	if err != nil || name == "" {
		var text any = words.T("There is no digest yet, so no email contains articles.")
		if err != nil {
			text = err
		}
		return h.part(w, "article-no-preview", h.words(w).Translate(text))
	}
	return []byte(withSampleRecipient(v).HTML), nil
}

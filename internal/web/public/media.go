package public

import (
	"bytes"
	"html"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// medium serves a file that came with an article. Its name is the hash of its
// content, so caches may keep it for ever (RFC 8246).
func (p *Pages) medium(w http.ResponseWriter, r *http.Request) error {
	m, err := p.store.Medium(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", m.Type)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", `"`+m.Name+`"`)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // feed readers and mails show our pictures
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Data))
	return nil
}

// leads reports whether an article's image should stand above its text: when the text
// does not show it already.
func leads(a *article.Article) bool {
	return a.Image != nil && !strings.Contains(a.HTML, html.EscapeString(a.Image.URL))
}

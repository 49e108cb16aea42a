package public

import (
	"bytes"
	"context"
	"html"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// mediaFile serves a file of an article. Its name is the hash of its content, so caches may keep
// it without revalidation (RFC 8246).
func (p *Pages) mediaFile(w http.ResponseWriter, r *http.Request) error {
	m, done, err := p.openMedium(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	defer done()
	h := w.Header()
	h.Set("Content-Type", m.Type)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", `"`+m.Name+`"`)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // feed readers and mails show our pictures
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	http.ServeContent(middleware.UntilStalled(w), r, "", time.Time{}, bytes.NewReader(m.Data))
	return nil
}

// imageSizes is how wide the page of an article shows images, for the attribute sizes.
const imageSizes = "(max-width: 44rem) 100vw, 42rem"

// choosePictures gives the images of an article their width and height, and copies for the browser to
// choose from.
func (p *Pages) choosePictures(ctx context.Context, body *articlePage) error {
	pictures, _, err := p.store.Pictures(ctx, body.MediaNames())
	if err != nil {
		return err
	}
	shown := *body.Article
	if shown.Image != nil {
		if picture, stored := pictures.At(shown.Image.URL, ""); stored {
			body.Srcset = picture.Srcset()
			shown.Image = picture.Lead(shown.Image)
		}
	}
	shown.HTML = pictures.PageHTML(shown.HTML, imageSizes)
	body.Article = &shown
	return nil
}

// card is an article in a list, with copies of its image for the browser to choose from.
type card struct {
	*article.Article
	Srcset string
}

// cards gives the images of the articles in a list their width and height, and copies.
func (p *Pages) cards(ctx context.Context, articles []article.Article) ([]card, error) {
	var names []string
	for i := range articles {
		if articles[i].Image != nil {
			image := article.Article{Image: articles[i].Image}
			names = append(names, image.MediaNames()...)
		}
	}
	pictures, _, err := p.store.Pictures(ctx, names)
	if err != nil {
		return nil, err
	}
	return cardsWith(pictures, articles), nil
}

// cardsWith is cards with the stored images.
func cardsWith(pictures article.Pictures, articles []article.Article) []card {
	out := make([]card, len(articles))
	for i := range articles {
		out[i].Article = &articles[i]
		if image := articles[i].Image; image != nil {
			if picture, stored := pictures.At(image.URL, ""); stored {
				out[i].Srcset, articles[i].Image = picture.Srcset(), picture.Lead(image)
			}
		}
	}
	return out
}

// hasLeadImage reports whether an article's image is to be shown above its text, because the text
// does not contain it.
func hasLeadImage(a *article.Article) bool {
	return a.Image != nil && !strings.Contains(a.HTML, html.EscapeString(a.Image.URL))
}

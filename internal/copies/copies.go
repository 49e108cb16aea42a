// Package copies makes the smaller copies of stored images that pages, feeds and mails show. Start with
// ForArticles, which returns the images of articles, and MakeMissing, which works through all images that have
// no copies yet.
package copies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/picture"
	"github.com/tidings-press/tidings/internal/store"
)

// ForArticles returns the stored images of articles. It first makes the copies that are missing, so that what
// is composed with them does not change afterwards.
func ForArticles(ctx context.Context, s *store.Store, articles []article.Article) (article.Pictures, error) {
	var names []string
	for i := range articles {
		names = append(names, articles[i].MediaNames()...)
	}
	found, waiting, err := s.Pictures(ctx, names)
	if err != nil || len(waiting) == 0 {
		return found, err
	}
	for _, name := range waiting {
		if _, err := makeFor(ctx, s, name); err != nil {
			return nil, err
		}
	}
	found, _, err = s.Pictures(ctx, names)
	return found, err
}

// batchSize is how many names of images are read at once.
const batchSize = 100

// MakeMissing makes the copies of all images that have none yet, and calls made after each. An image
// that cannot be read gets none and is reported with the reason. Several nodes may do this at the same
// time, since an image has the same copies everywhere.
func MakeMissing(ctx context.Context, s *store.Store, made func(name string, problem error)) error {
	for {
		names, err := s.ImagesWithoutCopies(ctx, batchSize)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			problem, err := makeFor(ctx, s, name)
			if err != nil {
				return err
			}
			made(name, problem)
		}
	}
}

// makeFor makes and stores the copies of one image. problem is why it has none.
func makeFor(ctx context.Context, s *store.Store, name string) (problem, err error) {
	image, err := s.Medium(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilerr // it was removed meanwhile
	}
	if err != nil {
		return nil, err
	}
	copies, animated, problem := Make(&image)
	return problem, s.PutCopies(ctx, image, animated, copies)
}

// Make returns the copies of an image, smallest first, and whether the image moves. It sets the
// image's width and height. Where the image itself has no more bytes than a copy of its width, and a
// format that mail programs show, it takes the place of the copy. problem is why there are no copies.
func Make(image *article.Medium) (copies []article.Medium, animated bool, problem error) {
	info, err := picture.Inspect(image.Data)
	if err != nil {
		if image.Type == "image/svg+xml" || image.Type == "image/x-icon" {
			return nil, false, nil // shown on pages as they are
		}
		return nil, false, err
	}
	image.Width, image.Height = info.Width, info.Height
	if info.CanCopy() != nil {
		return nil, info.Animated, nil // the import has warned about it
	}
	made, err := picture.Copies(image.Data)
	if err != nil {
		return nil, info.Animated, fmt.Errorf("no smaller copies: %w", err)
	}
	for _, c := range made {
		stored := article.Medium{Type: c.Type, Data: c.Data, Width: c.Width, Height: c.Height}
		sum := sha256.Sum256(c.Data)
		stored.Name = hex.EncodeToString(sum[:]) + "." + strings.TrimPrefix(strings.Replace(c.Type, "jpeg", "jpg", 1), "image/")
		if shownInMail := info.Type == picture.JPEG || info.Type == picture.PNG; c.Width == info.Width && shownInMail && len(c.Data) >= len(image.Data) {
			stored = *image
		}
		copies = append(copies, stored)
	}
	return copies, info.Animated, nil
}

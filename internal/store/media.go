package store

import (
	"context"
	"database/sql"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Medium returns a file that came with an article, by its name.
func (s *Store) Medium(ctx context.Context, name string) (article.Medium, error) {
	var m article.Medium
	found, err := s.readers.One(ctx, "medium.get", []any{name}, &m.Name, &m.Type, &m.Width, &m.Height, &m.Data)
	if err == nil && !found {
		err = notFound("medium", name)
	}
	return m, err
}

// putMedium stores a medium that is not there yet. copied is true for one that needs no copies.
func (tx *conn) putMedium(ctx context.Context, m article.Medium, copied bool) error {
	_, err := tx.Exec(ctx, "medium.put", m.Name, m.Type, m.Width, m.Height, len(m.Data), m.Data, number(copied))
	return err
}

// PutMedia stores media that no article refers to yet.
func (s *Store) PutMedia(ctx context.Context, media []article.Medium) error {
	return s.write(ctx, func(tx *conn) error {
		for i := range media {
			noteAuditObject(ctx, media[i].Name)
		}
		return s.putAttachments(ctx, tx, "", nil, media)
	})
}

// ImagesWithoutCopies returns the names of at most limit images that have no copies yet.
func (s *Store) ImagesWithoutCopies(ctx context.Context, limit int) ([]string, error) {
	var names []string
	err := s.readers.Each(ctx, "medium.waiting", []any{limit}, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, sqldb.Wrap("images without copies", err)
}

// CountImagesWithoutCopies returns how many images have no copies yet.
func (s *Store) CountImagesWithoutCopies(ctx context.Context) (n int64, err error) {
	_, err = s.readers.One(ctx, "medium.countWaiting", nil, &n)
	return n, err
}

// PutCopies stores the copies of an image, or that it has none. width and height are those of the
// image. It raises the revision, so that pages and feeds are rendered with the copies.
func (s *Store) PutCopies(ctx context.Context, image article.Medium, animated bool, copies []article.Medium) error {
	err := s.write(ctx, func(tx *conn) error {
		var revision int64
		if _, err := tx.One(ctx, "revision.raise", nil, &revision); err != nil {
			return err
		}
		for _, c := range copies {
			if err := tx.putMedium(ctx, c, true); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "medium.putCopy", image.Name, c.Width, c.Name); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "medium.copied", image.Name, number(animated), image.Width, image.Height)
		return err
	})
	return sqldb.Wrap("put the copies of "+image.Name, err)
}

// Pictures returns the stored images with these names, with their copies. waiting are those of them
// that have no copies yet. Names of other media and unknown names are left out.
func (s *Store) Pictures(ctx context.Context, names []string) (pictures article.Pictures, waiting []string, err error) {
	pictures = article.Pictures{}
	if len(names) == 0 {
		return pictures, nil, nil
	}
	err = s.readers.Each(ctx, "medium.describe", []any{jsonList(names)}, func(rows *sql.Rows) error {
		var p article.Picture
		var animated, copied int64
		err := rows.Scan(&p.Name, &p.Type, &p.Width, &p.Height, &p.Bytes, &animated, &copied)
		p.Animated = animated == 1
		pictures[p.Name] = p
		if copied == 0 {
			waiting = append(waiting, p.Name)
		}
		return err
	})
	if err == nil {
		err = s.readers.Each(ctx, "medium.describeCopies", []any{jsonList(names)}, func(rows *sql.Rows) error {
			var original string
			var c article.Copy
			err := rows.Scan(&original, &c.Name, &c.Type, &c.Width, &c.Height, &c.Bytes)
			p := pictures[original]
			p.Copies = append(p.Copies, c)
			pictures[original] = p
			return err
		})
	}
	return pictures, waiting, sqldb.Wrap("pictures", err)
}

package store

import (
	"context"
	"database/sql"
	"time"
)

// Address is the page of a listed article and when the article last changed.
type Address struct {
	Slug    string
	Changed time.Time
}

// AddressPart is a part of all addresses.
type AddressPart struct {
	Number  int64
	Changed time.Time // newest change of an article in it
}

// AddressParts returns the parts that Addresses can return: each covers size consecutive article
// numbers, so that new articles change only the last one.
func (s *Store) AddressParts(ctx context.Context, size int64) ([]AddressPart, error) {
	var out []AddressPart
	err := s.readers.Each(ctx, "article.addressParts", []any{millis(s.Now()), size}, func(rows *sql.Rows) error {
		var part AddressPart
		var changed int64
		err := rows.Scan(&part.Number, &changed)
		part.Changed = time.UnixMilli(changed).UTC()
		out = append(out, part)
		return err
	})
	return out, err
}

// Addresses returns the addresses of a part: listed articles whose canonical page is on this site.
func (s *Store) Addresses(ctx context.Context, part, size int64) ([]Address, error) {
	var out []Address
	err := s.readers.Each(ctx, "article.addresses", []any{millis(s.Now()), part * size, (part + 1) * size}, func(rows *sql.Rows) error {
		var a Address
		var changed int64
		err := rows.Scan(&a.Slug, &changed)
		a.Changed = time.UnixMilli(changed).UTC()
		out = append(out, a)
		return err
	})
	return out, err
}

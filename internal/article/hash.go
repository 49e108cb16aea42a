package article

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// hash sums up all that an import sets, so that an unchanged file is known.
func (a *Article) hash() string {
	fields := []any{
		a.Slug, a.URL, a.Title, a.Summary, a.HTML, a.Language, a.Authors, a.Tags, a.Image, a.Enclosure, a.Origin,
		a.Published.UnixMilli(), a.Updated.UnixMilli(), a.Status,
	}
	if !a.Expires.IsZero() { // only then, so that the hashes of stored articles stay
		fields = append(fields, a.Expires.UnixMilli())
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

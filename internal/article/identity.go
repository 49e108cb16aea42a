package article

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strings"
)

// How an article is recognised after its file was moved; see docs/decisions/article-identity.md.

// fingerprint returns a hash of the words of a text, and an empty string if there are none.
// Markup, spacing and punctuation do not matter.
func fingerprint(words []string) string {
	if len(words) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return hex.EncodeToString(sum[:16])
}

// Fingerprint returns the fingerprint of the article's text, empty for no text.
func (a *Article) Fingerprint() string { return fingerprint(Words(PlainText(a.HTML))) }

// minHashSize is the maximum number of hashes in a MinHash. The error of Similar is about one
// divided by its square root.
const minHashSize = 128

// MinHash is a bottom-k MinHash of a text, for the comparison of texts: the smallest hashes of its
// runs of three words.
type MinHash []uint64

// MinHash returns the MinHash of the article's text.
func (a *Article) MinHash() MinHash {
	words := Words(PlainText(a.HTML))
	seen := map[uint64]bool{}
	for i := range words {
		h := fnv.New64a()
		for _, word := range words[i:min(i+3, len(words))] {
			h.Write([]byte(word))
			h.Write([]byte{0})
		}
		seen[h.Sum64()] = true
	}
	out := make(MinHash, 0, len(seen))
	for sum := range seen {
		out = append(out, sum)
	}
	slices.Sort(out)
	return slices.Clone(out[:min(len(out), minHashSize)])
}

// Similar estimates the Jaccard similarity of two texts by their runs of words: 0 for different
// texts, 1 for equal ones.
func (s MinHash) Similar(t MinHash) float64 {
	if len(s) == 0 || len(t) == 0 {
		return 0
	}
	union, shared := 0, 0
	for i, j := 0, 0; (i < len(s) || j < len(t)) && union < minHashSize; union++ {
		switch {
		case j == len(t) || i < len(s) && s[i] < t[j]:
			i++
		case i == len(s) || t[j] < s[i]:
			j++
		default:
			shared++
			i++
			j++
		}
	}
	return float64(shared) / float64(union)
}

// ContentHash returns a hash of all fields that an import sets, by which an unchanged file is
// recognised.
func (a *Article) ContentHash() string {
	fields := []any{
		a.Slug, a.URL, a.Title, a.Summary, a.HTML, a.Language, a.Authors, a.Tags, a.Image, a.Enclosure, a.Origin,
		a.Published.UnixMilli(), a.Updated.UnixMilli(), a.Status,
	}
	if !a.Expires.IsZero() { // only then, so that the hashes of stored articles do not change
		fields = append(fields, a.Expires.UnixMilli())
	}
	if a.Episode != nil { // likewise
		fields = append(fields, a.Episode)
	}
	if a.Weight != 0 {
		fields = append(fields, "weight", a.Weight)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

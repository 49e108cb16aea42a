package rendercache

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// sampleText returns n bytes of random text that compresses about as well as feeds.
func sampleText(seed uint64, n int) []byte {
	words := []string{"harbour", "council", "<p>", "</p>", "market", "question", "of", "the", "and", "&amp;", "evening", "report", "https://press.example/"}
	random := rand.New(rand.NewPCG(seed, 1))
	var out bytes.Buffer
	for out.Len() < n {
		fmt.Fprintf(&out, "%s%d ", words[random.IntN(len(words))], random.IntN(50))
	}
	return out.Bytes()[:n]
}

// TestCompressionDoesNotDependOnEarlierDocuments: the ETag is a hash of the uncompressed body, so
// the compressed bytes must not depend on what an encoder compressed before.
func TestCompressionDoesNotDependOnEarlierDocuments(t *testing.T) {
	t.Parallel()
	large := sampleText(1, 1<<20+1<<18)
	for c := Gzip; c < codingCount; c++ {
		sizes := []int{200, 3 << 10, 40 << 10}
		var before [][]byte
		for _, size := range sizes {
			before = append(before, compress(c, sampleText(uint64(size), size)))
		}
		compress(c, large)
		for i, size := range sizes {
			if got := compress(c, sampleText(uint64(size), size)); !bytes.Equal(got, before[i]) {
				t.Errorf("%s: a document of %d bytes is compressed to %d bytes after a large one, and to %d before", codingName[c], size, len(got), len(before[i]))
			}
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	body := sampleText(1, 450<<10)
	for c := Gzip; c < codingCount; c++ {
		b.Run(codingName[c], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compress(c, body)
			}
		})
	}
}

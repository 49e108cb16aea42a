package rendercache

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Coding is a content coding (RFC 9110, section 8.4.1).
type Coding int

// The codings that documents are sent in.
const (
	Identity Coding = iota
	Gzip
	Brotli
	Zstd
	codingCount
)

var (
	codingName   = [codingCount]string{"identity", "gzip", "br", "zstd"}
	codingSuffix = [codingCount]string{"", "-gzip", "-br", "-zstd"}
	// codingOrder breaks ties between codings that a client accepts equally: the
	// smallest result comes first.
	codingOrder = [...]Coding{Brotli, Zstd, Gzip}
)

// Choose returns the coding to answer an Accept-Encoding header with.
func Choose(accept string) Coding {
	switch accept {
	case "", "identity":
		return Identity
	case "gzip", "gzip, deflate", "deflate, gzip":
		return Gzip
	case "gzip, deflate, br", "gzip, deflate, br, zstd":
		return Brotli
	}
	var wanted [codingCount]float64
	for c := range wanted {
		wanted[c] = -1
	}
	wildcard := -1.0
	for element := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(element, ";")
		weight := quality(parameters)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			wanted[Gzip] = weight
		case "br":
			wanted[Brotli] = weight
		case "zstd":
			wanted[Zstd] = weight
		case "identity":
			wanted[Identity] = weight
		case "*":
			wildcard = weight
		}
	}
	best, bestWeight := Identity, 0.0
	for _, c := range codingOrder {
		weight := wanted[c]
		if weight < 0 {
			weight = wildcard
		}
		if weight > bestWeight {
			best, bestWeight = c, weight
		}
	}
	if wanted[Identity] > bestWeight {
		return Identity
	}
	return best
}

// quality reads a weight (RFC 9110, section 12.4.2) to a thousandth.
func quality(parameters string) float64 {
	_, q, found := strings.Cut(strings.ToLower(parameters), "q=")
	if !found {
		return 1
	}
	q, _, _ = strings.Cut(strings.TrimSpace(q), ";")
	whole, fraction, _ := strings.Cut(strings.TrimSpace(q), ".")
	if whole == "1" {
		return 1
	}
	value, unit := 0.0, 0.1
	for _, digit := range fraction {
		if digit < '0' || digit > '9' || unit < 0.001 {
			break
		}
		value += float64(digit-'0') * unit
		unit /= 10
	}
	return value
}

// Encoders are pooled, since each takes about a megabyte. Brotli encoders are not: for a large
// document they choose another way to find matches and keep it after a reset, so that the next
// small document would get other bytes.
var (
	gzips = sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, 6)
		if err != nil {
			panic("gzip level of this package: " + err.Error())
		}
		return w
	}}
	// One goroutine and no checksum: the same bytes on every machine.
	zstds = sync.Pool{New: func() any {
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
		if err != nil {
			panic("zstd options of this package: " + err.Error())
		}
		return encoder
	}}
)

// compress returns body in a coding; the same body gives the same bytes.
func compress(c Coding, body []byte) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	switch c {
	case Zstd:
		encoder := zstds.Get().(*zstd.Encoder)
		defer zstds.Put(encoder)
		return bytes.Clone(encoder.EncodeAll(body, nil))
	case Brotli:
		w = brotli.NewWriterLevel(&out, 5)
	case Gzip:
		encoder := gzips.Get().(*gzip.Writer)
		defer gzips.Put(encoder)
		encoder.Reset(&out)
		w = encoder
	default:
		return body
	}
	// Writing to a bytes.Buffer cannot fail.
	_, _ = w.Write(body)
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}

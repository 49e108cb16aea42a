package serve

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// coding is a content coding (RFC 9110, section 8.4.1).
type coding int

const (
	identity coding = iota
	gzipped
	brotlied
	zstandard
	codingCount
)

var (
	codingName   = [codingCount]string{"identity", "gzip", "br", "zstd"}
	codingSuffix = [codingCount]string{"", "-gzip", "-br", "-zstd"}
	// codingOrder is what we send of those that a client likes equally: the
	// smallest first.
	codingOrder = [...]coding{brotlied, zstandard, gzipped}
)

// choose picks the coding for an Accept-Encoding header.
func choose(accept string) coding {
	switch accept {
	case "", "identity":
		return identity
	case "gzip", "gzip, deflate", "deflate, gzip":
		return gzipped
	case "gzip, deflate, br", "gzip, deflate, br, zstd":
		return brotlied
	}
	var wanted [codingCount]float64
	for c := range wanted {
		wanted[c] = -1
	}
	any := -1.0
	for element := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(element, ";")
		weight := quality(parameters)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			wanted[gzipped] = weight
		case "br":
			wanted[brotlied] = weight
		case "zstd":
			wanted[zstandard] = weight
		case "*":
			any = weight
		}
	}
	best, most := identity, 0.0
	for _, c := range codingOrder {
		weight := wanted[c]
		if weight < 0 {
			weight = any
		}
		if weight > most {
			best, most = c, weight
		}
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

// Encoders are kept for the next document: each takes up to a few megabytes.
var (
	brotlis = sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, 5) }}
	gzips   = sync.Pool{New: func() any {
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
func compress(c coding, body []byte) []byte {
	var pool *sync.Pool
	switch c {
	case zstandard:
		encoder := zstds.Get().(*zstd.Encoder)
		defer zstds.Put(encoder)
		return bytes.Clone(encoder.EncodeAll(body, nil))
	case brotlied:
		pool = &brotlis
	case gzipped:
		pool = &gzips
	default:
		return body
	}
	w := pool.Get().(interface {
		io.WriteCloser
		Reset(io.Writer)
	})
	defer pool.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	// Writing to a bytes.Buffer cannot fail.
	_, _ = w.Write(body)
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}

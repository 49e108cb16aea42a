package feedserver_test

import (
	"compress/gzip"
	"io"
	"iter"
	"maps"
	"net/http"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// decode decodes a body, where possible with another implementation than the encoder's.
func decode(t *testing.T, coding string, r *http.Response) string {
	t.Helper()
	body := io.Reader(r.Body)
	var err error
	switch coding {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	case "zstd":
		body, err = zstd.NewReader(body)
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: %v", coding, err)
	}
	return string(data)
}

func mapValues(m map[string]string) iter.Seq[string] { return maps.Values(m) }

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/feed/serve"
	"time"
)

// measureMemory asks for 500 feeds in all formats and codings, again and again, and
// prints what the process takes.
func measureMemory(_ context.Context, o options) error {
	source := feedtest.New(time.Now)
	for i := range 2000 {
		source.Put(makeArticle(i, 4<<10))
	}
	base := resident()
	server := serve.New(serve.Options{
		Source: source, Site: site(),
	})
	asked := 0
	for n := range 500 {
		for _, format := range feed.Formats {
			for _, coding := range []string{"", "gzip", "br", "zstd"} {
				path := feed.TagPath(fmt.Sprint("tag-", n)) + string(format)
				if n == 0 {
					path = "/" + string(format)
				}
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Header.Set("Accept-Encoding", coding)
				server.ServeHTTP(&discard{header: http.Header{}}, r)
				asked++
			}
		}
	}
	runtime.GC()
	fmt.Printf("500 feeds in all formats and codings (%d documents): %d MB resident, of which %d MB are the bench's 2000 articles; target 150 MB\n",
		asked, peak()>>20, base>>20)
	return nil
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func resident() int64 { return status("VmRSS:") }
func peak() int64     { return status("VmHWM:") }

// status reads a size from /proc/self/status, in bytes.
func status(key string) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), key)
	var kilobytes int64
	_, _ = fmt.Sscan(rest, &kilobytes)
	return kilobytes << 10
}

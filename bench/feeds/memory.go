package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/serve"
	"github.com/tidings-press/tidings/press"
)

// measureMemory asks for 500 feeds of a store in all formats and codings, twice, and
// prints the most that the process ever took.
func measureMemory(ctx context.Context, _ options) error {
	db, remove, err := newStore(ctx)
	if err != nil {
		return err
	}
	defer remove()
	if err := fill(ctx, db, 5000, 4<<10); err != nil {
		return err
	}
	press.LimitMemory(24 << 20) // as the service does
	debug.FreeOSMemory()
	// Forgets the peak of the filling (proc(5)).
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return err
	}
	before := status("VmRSS:")
	server := serve.New(serve.Options{Source: press.NewFeedSource(db), Site: site()})
	asked := 0
	for n := range 1000 {
		for _, format := range feed.Formats {
			for _, coding := range []string{"", "gzip", "br", "zstd"} {
				r := httptest.NewRequest(http.MethodGet, feed.TagPath(fmt.Sprint("tag-", n%500))+string(format), nil)
				r.Header.Set("Accept-Encoding", coding)
				server.ServeHTTP(&discard{header: http.Header{}}, r)
				asked++
			}
		}
	}
	fmt.Printf("500 feeds of 10 articles of 4 KB, all formats and codings, %d requests: at most %d MB resident (%d MB before, with the store open); target 150 MB\n",
		asked, status("VmHWM:")>>20, before>>20)
	return nil
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

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

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
	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/feedserver"
)

// The most memory that the service may use with all its feeds, and the part of it for rendered
// feeds: the default of feed_server.memory.
const (
	memoryTarget = 150 << 20
	feedMemory   = 24_000_000
)

// measureMemory requests 500 feeds of a store in all formats and codings, twice, and prints the
// peak memory of the process.
func measureMemory(ctx context.Context, o *options) error {
	db, remove, err := newStore(ctx, "sqlite", nil)
	if err != nil {
		return err
	}
	defer remove()
	if err := fill(ctx, db, 5000, 4<<10); err != nil {
		return err
	}
	app.LimitMemory(feedMemory) // as the service does
	debug.FreeOSMemory()
	// Reset the peak after the store was filled (proc(5)).
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return err
	}
	before := status("VmRSS:")
	server := feedserver.New(feedserver.Options{Source: app.NewFeedSource(db), Site: site(), Memory: feedMemory})
	var bytes int64
	for n := range 1000 {
		size := askAll(server, feed.TagPath(fmt.Sprint("tag-", n%500)))
		if n < 500 {
			bytes += size
		}
	}
	peak := status("VmHWM:")
	fmt.Printf("500 feeds of tags, each of 10 articles of 4 KB, in 3 formats and 4 codings: 6,000 documents of %d MB, requested twice, of which the cache holds %d MB at a time:\n"+
		"at most %d MB resident (%d MB before, with the store open); target %d MB%s\n",
		bytes>>20, feedMemory>>20, peak>>20, before>>20, memoryTarget>>20, o.want(peak <= memoryTarget, "memory: %d MB, target %d MB", peak>>20, memoryTarget>>20))
	return nil
}

// askAll requests all documents of a feed and returns their size in bytes.
func askAll(server http.Handler, folder string) int64 {
	w := &discard{header: http.Header{}}
	for _, format := range feed.Formats {
		for _, coding := range []string{"", "gzip", "br", "zstd"} {
			r := httptest.NewRequest(http.MethodGet, folder+string(format), nil)
			r.Header.Set("Accept-Encoding", coding)
			server.ServeHTTP(w, r)
		}
	}
	return w.bytes
}

type discard struct {
	header http.Header
	bytes  int64
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(b []byte) (int, error) {
	d.bytes += int64(len(b))
	return len(b), nil
}

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

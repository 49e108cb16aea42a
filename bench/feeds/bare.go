package main

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"
)

// serveBare answers every request with the feed below root, from memory with preset headers,
// and does nothing else. It is the most that a handler of net/http can reach on this machine,
// so the difference from it is the cost of our own code. It returns only on an error.
func serveBare(address, root string) error {
	debug.SetGCPercent(400) // as the program sets it
	type body struct {
		bytes  []byte
		header http.Header
	}
	bodies := map[string]body{}
	for coding, suffix := range map[string]string{"": "", "gzip": ".gz"} {
		data, err := os.ReadFile(filepath.Join(root, "feed.xml"+suffix))
		if err != nil {
			return err
		}
		header := http.Header{
			"Content-Type":   {"application/rss+xml; charset=utf-8"},
			"Cache-Control":  {"public, max-age=300, s-maxage=60, stale-while-revalidate=300"},
			"Vary":           {"Accept-Encoding"},
			"Etag":           {`"feed` + suffix + `"`},
			"Content-Length": {strconv.Itoa(len(data))},
		}
		if coding != "" {
			header["Content-Encoding"] = []string{coding}
		}
		bodies[coding] = body{data, header}
	}
	server := &http.Server{Addr: address, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := bodies[r.Header.Get("Accept-Encoding")]
		if !ok {
			b = bodies[""]
		}
		h := w.Header()
		for name, values := range b.header {
			h[name] = values
		}
		if r.Header.Get("If-None-Match") == b.header["Etag"][0] {
			delete(h, "Content-Length")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(b.bytes)
	})}
	return server.ListenAndServe()
}

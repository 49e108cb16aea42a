package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/feed/serve"
	"time"
)

// rival is one of the two servers.
type rival struct {
	name, address string
}

// measureHTTP lets wrk ask both servers for the same document in turn.
func measureHTTP(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "tidings-bench-feeds-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server := newServer(o)
	if _, err := server.Write(ctx, filepath.Join(dir, "html"), serve.Export{Compressed: true}); err != nil {
		return err
	}
	ours, stopOurs, err := listen(server)
	if err != nil {
		return err
	}
	defer stopOurs()
	theirs, stopTheirs, err := startNginx(ctx, dir)
	if err != nil {
		return err
	}
	defer stopTheirs()
	rivals := []*rival{{name: "tidings", address: ours}, {name: "nginx", address: theirs}}
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := race(ctx, rivals, o); err != nil {
		return err
	}
	return nil
}

func newServer(o options) *serve.Server {
	source := feedtest.New(time.Now)
	for i := range o.items {
		source.Put(makeArticle(i, o.bytes))
	}
	return serve.New(serve.Options{
		Source: source, Site: site(), Feeds: []feed.Definition{{Kind: feed.Everything, Limit: o.items}},
		Polls: forgetful{}, PollKey: []byte("the key of the bench"),
	})
}

// forgetful takes statistics, so that they are counted as in the service.
type forgetful struct{}

func (forgetful) RecordPolls(context.Context, []serve.Polls) error { return nil }

func listen(handler http.Handler) (string, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler}
	lane := handler.(*serve.Server).Lane(l, nil)
	go server.Serve(lane)
	return l.Addr().String(), func() { server.Close() }, nil
}

// kinds are the requests that readers make.
var requestKinds = []struct {
	name, coding string
	conditional  bool
	floor        float64 // of our requests per second to nginx's
}{
	{"body, plain", "", false, 0.85},
	{"body, gzip", "gzip", false, 0.85},
	{"304", "", true, 0.6},
	{"304, gzip", "gzip", true, 0.6},
}

func race(ctx context.Context, rivals []*rival, o options) error {
	fmt.Printf("wrk, %d connections, %d rounds of %v each, interleaved; feed of %d items of %d KB\n", o.connections, o.rounds, o.round, o.items, o.bytes>>10)
	fmt.Printf("%-12s %12s %12s %7s %7s %12s %12s\n", "request", "tidings/s", "nginx/s", "ratio", "floor", "tidings p99", "nginx p99")
	for _, kind := range requestKinds {
		results := map[string][]result{}
		for round := range o.rounds + 1 {
			for _, rival := range rivals {
				url := "http://" + rival.address + "/feed.xml"
				headers, err := headersFor(url, kind.coding, kind.conditional)
				if err != nil {
					return fmt.Errorf("%s: %w", rival.name, err)
				}
				length := o.round
				if round == 0 {
					length = time.Second // warm up
				}
				got, err := wrk(ctx, url, headers, length, o.connections)
				if err != nil {
					return err
				}
				if round > 0 {
					results[rival.name] = append(results[rival.name], got)
				}
			}
		}
		a, b := median(results["tidings"]), median(results["nginx"])
		fmt.Printf("%-12s %12.0f %12.0f %7.2f %7.2f %12v %12v\n", kind.name, a.rate, b.rate, a.rate/b.rate, kind.floor, a.p99, b.p99)
	}
	return nil
}

// headersFor makes the request headers, with the server's own ETag if the
// request is to be conditional.
func headersFor(url, coding string, conditional bool) ([]string, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	var headers []string
	request.Header.Set("Accept-Encoding", "identity")
	if coding != "" {
		request.Header.Set("Accept-Encoding", coding)
		headers = append(headers, "Accept-Encoding: "+coding)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != coding {
		return nil, fmt.Errorf("%s answers %s with coding %q", url, response.Status, response.Header.Get("Content-Encoding"))
	}
	if conditional {
		headers = append(headers, "If-None-Match: "+response.Header.Get("ETag"))
	}
	return headers, nil
}

// median is the middle of the rates and the middle of the p99, each for itself.
func median(results []result) result {
	var rates []float64
	var tails []time.Duration
	for _, r := range results {
		rates, tails = append(rates, r.rate), append(tails, r.p99)
	}
	slices.Sort(rates)
	slices.Sort(tails)
	return result{rates[len(rates)/2], tails[len(tails)/2]}
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/feed/serve"
)

// rival is one of the two servers.
type rival struct {
	name, address string
}

// measureHTTP lets wrk ask both servers for the same document in turn.
func measureHTTP(ctx context.Context, o *options) error {
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
	if err := sameBytes(rivals); err != nil {
		return err
	}
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
	return race(ctx, rivals, o)
}

// sameBytes compares what the two servers send, byte for byte.
func sameBytes(rivals []*rival) error {
	for _, coding := range []string{"", "gzip"} {
		var first []byte
		for i, rival := range rivals {
			_, body, err := get("http://"+rival.address+"/feed.xml", coding)
			if err != nil {
				return fmt.Errorf("%s: %w", rival.name, err)
			}
			if i == 0 {
				first = body
			} else if !bytes.Equal(first, body) {
				return fmt.Errorf("%s sends %d bytes with coding %q, %s sends %d others", rivals[0].name, len(first), coding, rival.name, len(body))
			}
		}
		fmt.Printf("both send the same %d bytes with coding %q\n", len(first), coding)
	}
	return nil
}

func newServer(o *options) *serve.Server {
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

func race(ctx context.Context, rivals []*rival, o *options) error {
	fmt.Printf("wrk, %d connections, %d rounds of %v each, interleaved; feed of %d items of %d KB\n", o.connections, o.rounds, o.round, o.items, o.bytes>>10)
	fmt.Printf("%-12s %12s %12s %7s %7s %12s %12s\n", "request", "tidings/s", "nginx/s", "ratio", "floor", "tidings p99", "nginx p99")
	for _, kind := range requestKinds {
		results, err := rounds(ctx, rivals, kind.coding, kind.conditional, o)
		if err != nil {
			return err
		}
		a, b := median(results["tidings"]), median(results["nginx"])
		ratio := a.rate / b.rate
		slow := o.want(ratio >= kind.floor, "%s: %.2f of nginx's rate, target %.2f", kind.name, ratio, kind.floor)
		late := o.want(a.p99 <= b.p99, "%s: p99 %v, nginx's is %v", kind.name, a.p99, b.p99)
		fmt.Printf("%-12s %12.0f %12.0f %7.2f %7.2f %12v %12v%s\n", kind.name, a.rate, b.rate, ratio, kind.floor, a.p99, b.p99, cmp.Or(slow, late))
	}
	return nil
}

// rounds asks both servers in turn and returns the results of each.
func rounds(ctx context.Context, rivals []*rival, coding string, conditional bool, o *options) (map[string][]result, error) {
	results := map[string][]result{}
	for round := range o.rounds + 1 {
		for _, rival := range rivals {
			url := "http://" + rival.address + "/feed.xml"
			headers, err := headersFor(url, coding, conditional)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rival.name, err)
			}
			length := o.round
			if round == 0 {
				length = time.Second // warm up
			}
			got, err := wrk(ctx, url, headers, length, o.connections)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				results[rival.name] = append(results[rival.name], got)
			}
		}
	}
	return results, nil
}

// headersFor makes the request headers, with the server's own ETag if the
// request is to be conditional.
func headersFor(url, coding string, conditional bool) ([]string, error) {
	header, _, err := get(url, coding)
	if err != nil {
		return nil, err
	}
	var headers []string
	if coding != "" {
		headers = append(headers, "Accept-Encoding: "+coding)
	}
	if conditional {
		headers = append(headers, "If-None-Match: "+header.Get("ETag"))
	}
	return headers, nil
}

// get asks for a document in a coding, and returns its bytes as they were sent.
func get(url, coding string) (http.Header, []byte, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept-Encoding", cmp.Or(coding, "identity"))
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != coding {
		return nil, nil, fmt.Errorf("%s answers %s with coding %q", url, response.Status, response.Header.Get("Content-Encoding"))
	}
	return response.Header, body, nil
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

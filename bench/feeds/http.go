package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/store"
)

// settings is the configuration of a typical site behind a proxy.
const settings = `
site: {title: The Bench, description: Articles to measure with, url: "https://bench.example", language: en}
store: {dsn: "sqlite:bench.db"}
server: {listen: "%s", trusted_proxies: ["127.0.0.0/8"]}
feeds:
- {name: all, limit: %d}
`

// The servers that are measured. The program and the bare handler are measured directly and behind nginx; each is
// compared with servers that send the same bytes from files.
const (
	direct      = "tidings"
	nginxFiles  = "nginx"
	caddyFiles  = "caddy"
	bareHandler = "net/http"
	behindNginx = "nginx>tidings"
	behindBare  = "nginx>net/http"
	nginxNginx  = "nginx>nginx"
)

// measureHTTP requests the same document from all servers in turn. The program is the real one:
// "tidings serve" in a process of its own.
func measureHTTP(ctx context.Context, o *options) error {
	dir, err := os.MkdirTemp("", "tidings-bench-feeds-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	servers, stop, err := startAll(ctx, dir, o)
	defer stop()
	if err != nil {
		return err
	}
	if err := sameBytes(servers); err != nil {
		return err
	}
	return race(ctx, dir, servers, o)
}

// startAll starts the program on a store with articles, and the other servers on the files that
// "tidings feed export" makes of them.
func startAll(ctx context.Context, dir string, o *options) (servers map[string]*benchkit.Process, stop func(), err error) {
	var running []*benchkit.Process
	stop = func() {
		for _, p := range running {
			_ = p.Stop()
		}
	}
	binary := o.binary
	if binary == "" {
		if binary, err = benchkit.Build(ctx, dir); err != nil {
			return nil, stop, err
		}
	}
	if err := prepare(ctx, dir, binary, o); err != nil {
		return nil, stop, err
	}
	servers = map[string]*benchkit.Process{}
	start := func(name string, run func() (*benchkit.Process, error)) {
		if err != nil {
			return
		}
		var p *benchkit.Process
		if p, err = run(); err == nil {
			running = append(running, p)
			servers[name] = p
		}
	}
	root := filepath.Join(dir, "html")
	start(direct, func() (*benchkit.Process, error) { return benchkit.Start(ctx, dir, o.listen, binary, "serve") })
	start(nginxFiles, func() (*benchkit.Process, error) { return benchkit.NginxStatic(ctx, dir, root) })
	start(caddyFiles, func() (*benchkit.Process, error) { return benchkit.CaddyStatic(ctx, dir, root) })
	start(bareHandler, func() (*benchkit.Process, error) { return startBare(ctx, dir, root) })
	start(behindNginx, func() (*benchkit.Process, error) { return benchkit.NginxProxy(ctx, dir, servers[direct].Address) })
	start(behindBare, func() (*benchkit.Process, error) { return benchkit.NginxProxy(ctx, dir, servers[bareHandler].Address) })
	start(nginxNginx, func() (*benchkit.Process, error) { return benchkit.NginxProxy(ctx, dir, servers[nginxFiles].Address) })
	return servers, stop, err
}

// measuredServers are the servers in the order of the table's columns.
var measuredServers = []string{direct, nginxFiles, caddyFiles, bareHandler, behindNginx, behindBare, nginxNginx}

// startBare starts this program again, as the bare handler.
func startBare(ctx context.Context, dir, root string) (*benchkit.Process, error) {
	address, err := benchkit.FreeAddress()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return benchkit.Start(ctx, dir, address, self, "-bare", address, root)
}

// prepare fills a store and writes its feeds as files.
func prepare(ctx context.Context, dir, binary string, o *options) (err error) {
	if o.listen, err = benchkit.FreeAddress(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), fmt.Appendf(nil, settings, o.listen, o.items), 0o600); err != nil {
		return err
	}
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "bench.db"), store.Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(fill(ctx, db, o.items, o.bytes), db.Close()); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "feed", "export", "--compressed", "html")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("tidings feed export: %w\n%s", err, out)
	}
	return nil
}

// sameBytes checks that all servers send the same bytes.
func sameBytes(servers map[string]*benchkit.Process) error {
	for _, coding := range []string{"", "gzip"} {
		var first []byte
		for name, server := range servers {
			_, body, err := get("http://"+server.Address+"/feed.xml", coding)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if first == nil {
				first = body
			}
			if !bytes.Equal(first, body) {
				return fmt.Errorf("with coding %q %s sends %d bytes, another server %d others", coding, name, len(body), len(first))
			}
		}
		fmt.Printf("all send the same %d bytes with coding %q\n", len(first), coding)
	}
	return nil
}

// wantedOfBare is the wanted rate beside the bare handler, for every kind of request.
const wantedOfBare = 0.8

// requestKinds are the requests that feed readers make, with the targets for each: the rate
// relative to nginx, relative to Caddy, and behind nginx relative to nginx behind nginx; 0 for
// none.
var requestKinds = []struct {
	name, coding         string
	conditional          bool
	nginx, caddy, behind float64
}{
	{"body, plain", "", false, 0.75, 1, 0},
	{"body, gzip", "gzip", false, 0.85, 1, 0.9},
	{"304", "", true, 0.5, 1.5, 0.65},
	{"304, gzip", "gzip", true, 0.5, 1.5, 0.65},
}

func race(ctx context.Context, dir string, servers map[string]*benchkit.Process, o *options) error {
	fmt.Printf("wrk, %d connections, %d rounds of %v each, interleaved; feed of %d items of %d KB;\n"+
		"requests a second, the slowest hundredth, and processor time of the server in microseconds a request (of a proxy: without the server behind it)\n",
		o.connections, o.rounds, o.round, o.items, o.bytes>>10)
	fmt.Printf("%-12s", "request")
	for _, name := range measuredServers {
		fmt.Printf(" %23s", name)
	}
	fmt.Printf(" %12s %12s %12s %12s %12s\n", "to nginx", "to caddy", "to net/http", "behind", "bare behind")
	for _, kind := range requestKinds {
		results, err := rounds(ctx, dir, servers, kind.coding, kind.conditional, o)
		if err != nil {
			return err
		}
		fmt.Printf("%-12s", kind.name)
		rate := map[string]float64{}
		for _, name := range measuredServers {
			r := benchkit.Median(results[name])
			rate[name] = r.Rate
			fmt.Printf(" %7.0f %9v %5.1f", r.Rate, r.P99.Round(100*time.Microsecond), float64(r.CPU)/float64(time.Microsecond))
		}
		var missed string
		for _, c := range []struct {
			a, b string
			want float64
		}{
			{direct, nginxFiles, kind.nginx}, {direct, caddyFiles, kind.caddy}, {direct, bareHandler, wantedOfBare}, {behindNginx, nginxNginx, kind.behind}, {behindBare, nginxNginx, 0},
		} {
			ratio := rate[c.a] / rate[c.b]
			fmt.Printf(" %5.2f (%4.2f)", ratio, c.want)
			missed = cmp.Or(missed, o.want(ratio >= c.want, "%s: %s has %.2f of the rate of %s, wanted %.2f", kind.name, c.a, ratio, c.b, c.want))
		}
		fmt.Println(missed)
	}
	return nil
}

// rounds measures all servers in turn and returns the results of each.
func rounds(ctx context.Context, dir string, servers map[string]*benchkit.Process, coding string, conditional bool, o *options) (map[string][]benchkit.Result, error) {
	results := map[string][]benchkit.Result{}
	for round := range o.rounds + 1 {
		for name, server := range servers {
			headers, err := headersFor("http://"+server.Address+"/feed.xml", coding, conditional)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			before := server.CPU()
			got, err := benchkit.Wrk(ctx, dir, benchkit.Load{Address: server.Address, Path: "/feed.xml", Headers: headers, Length: o.round, Connections: o.connections})
			if err != nil {
				return nil, err
			}
			got.CPU = time.Duration(float64(server.CPU()-before) / max(got.Rate*o.round.Seconds(), 1))
			if round > 0 { // the first warms up
				results[name] = append(results[name], got)
			}
		}
	}
	return results, nil
}

// headersFor returns the request headers, with the server's own ETag for a conditional request.
func headersFor(url, coding string, conditional bool) ([]string, error) {
	header, _, err := get(url, coding)
	if err != nil {
		return nil, err
	}
	headers := []string{"User-Agent: Reader/1.0 (+https://reader.example)"}
	if coding != "" {
		headers = append(headers, "Accept-Encoding: "+coding)
	}
	if conditional {
		headers = append(headers, "If-None-Match: "+header.Get("ETag"))
	}
	return headers, nil
}

// get requests a document in a coding, and returns its bytes as they were sent.
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

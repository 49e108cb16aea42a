package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// result is one round of wrk.
type result struct {
	rate float64 // requests per second
	p99  time.Duration
}

var (
	rateLine = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	p99Line  = regexp.MustCompile(`99%\s+([\d.]+)(us|ms|s)`)
	badLine  = regexp.MustCompile(`Non-2xx or 3xx responses: \d+|Socket errors:.*`)
)

func wrk(ctx context.Context, url string, headers []string, length time.Duration, connections int) (result, error) {
	args := []string{"-t1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(max(int(length.Seconds()), 1)), "--latency"}
	for _, header := range headers {
		args = append(args, "-H", header)
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, url)...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	rate, p99 := rateLine.FindSubmatch(out), p99Line.FindSubmatch(out)
	if rate == nil || p99 == nil || badLine.Match(out) {
		return result{}, fmt.Errorf("wrk %s:\n%s", url, out)
	}
	var r result
	if r.rate, err = strconv.ParseFloat(string(rate[1]), 64); err != nil {
		return r, err
	}
	r.p99, err = time.ParseDuration(string(p99[1]) + string(p99[2]))
	return r, err
}

// nginxConfig is a fair one: no logs, files kept open, ready-made gzip.
const nginxConfig = `
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  open_file_cache max=100 inactive=60s;
  open_file_cache_valid 60s;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  types { application/rss+xml xml; application/feed+json json; }
  server {
    listen %[2]s;
    root %[1]s/html;
    gzip_static on;
    add_header Cache-Control "public, max-age=300, s-maxage=60, stale-while-revalidate=300";
    add_header Vary Accept-Encoding;
  }
}
`

// startNginx serves dir/html on a free port.
func startNginx(ctx context.Context, dir string) (string, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := l.Addr().String()
	l.Close()
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, address), 0o644); err != nil {
		return "", nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, "/usr/sbin/nginx", "-c", config, "-g", "daemon off;")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("nginx does not start: %w (apt-get install nginx)", err)
	}
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address, stop, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	return "", nil, fmt.Errorf("nginx does not answer:\n%s", log)
}

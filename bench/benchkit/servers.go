package benchkit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// nginxConfig makes a fair comparison: no logs, files kept open, files compressed in advance.
const nginxConfig = `
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  open_file_cache max=100 inactive=60s;
  open_file_cache_valid 60s;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  types { application/rss+xml xml; application/feed+json json; }
%[2]s
}
`

const nginxStatic = `
  server {
    listen %s;
    root %s;
    gzip_static on;
    add_header Cache-Control "public, max-age=300, s-maxage=60, stale-while-revalidate=300";
    add_header Vary Accept-Encoding;
  }
`

// nginxProxy sets the usual headers of a proxy, and keeps connections to the server open.
const nginxProxy = `
  upstream behind { server %[2]s; keepalive 64; keepalive_requests 100000000; }
  server {
    listen %[1]s;
    location / {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
`

// NginxStatic starts nginx on the files below root.
func NginxStatic(ctx context.Context, dir, root string) (*Process, error) {
	return nginx(ctx, dir, func(address string) string { return fmt.Sprintf(nginxStatic, address, root) })
}

// NginxProxy starts nginx before another server.
func NginxProxy(ctx context.Context, dir, behind string) (*Process, error) {
	return nginx(ctx, dir, func(address string) string { return fmt.Sprintf(nginxProxy, address, behind) })
}

func nginx(ctx context.Context, dir string, server func(address string) string) (*Process, error) {
	own, err := os.MkdirTemp(dir, "nginx-")
	if err != nil {
		return nil, err
	}
	address, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	// nginx drops its privileges, and must reach its folders without them.
	for _, folder := range []string{dir, own} {
		if err := os.Chmod(folder, 0o755); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(own, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, own, server(address)), 0o644); err != nil {
		return nil, err
	}
	return Start(ctx, own, address, "/usr/sbin/nginx", "-c", config, "-g", "daemon off;")
}

// caddyConfig serves files, with their compressed forms made in advance.
const caddyConfig = `{
	admin off
	auto_https off
}
http://%s {
	root * %s
	file_server {
		precompressed gzip br
	}
	header Cache-Control "public, max-age=300"
}
`

// CaddyStatic starts Caddy on the files below root.
func CaddyStatic(ctx context.Context, dir, root string) (*Process, error) {
	own, err := os.MkdirTemp(dir, "caddy-")
	if err != nil {
		return nil, err
	}
	address, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(own, "Caddyfile")
	if err := os.WriteFile(config, fmt.Appendf(nil, caddyConfig, address, root), 0o644); err != nil {
		return nil, err
	}
	return Start(ctx, own, address, "caddy", "run", "--config", config, "--adapter", "caddyfile")
}

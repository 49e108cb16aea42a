package config

import "net"

// Metrics says where Prometheus reads the metrics.
type Metrics struct {
	// Address and port of a listener for /metrics, /healthz and /readyz, such as 127.0.0.1:9180; empty for none. A worker has no other one.
	Listen string `yaml:"listen"`
	// Token that a scrape sends as "Authorization: Bearer TOKEN", at least 16 characters. Without a listener, it opens /metrics on server.listen to those who have it.
	Token Secret `yaml:"token"`
	// File that contains the token.
	TokenFile string `yaml:"token_file"`
	// Whether the listener serves profiles of the process at /debug/pprof/. They slow the process down while they are taken.
	Pprof bool `yaml:"pprof"`
}

// shortestToken is the least number of characters of a token for scrapes.
const shortestToken = 16

func (c *checker) metrics() {
	m := &c.config.Metrics
	if m.Listen != "" {
		c.listen("metrics.listen", m.Listen)
		if m.Listen == c.config.Server.Listen {
			c.wrong("metrics.listen", "it is the same as server.listen", "use another port, or remove it and set metrics.token")
		}
	}
	c.secretFromFile("metrics", "token", &m.Token, m.TokenFile, "a token")
	if n := len(m.Token.Reveal()); n > 0 && n < shortestToken {
		c.wrong("metrics.token", "it is too short", "use 16 random characters or more")
	}
	if m.Pprof && m.Listen == "" {
		c.wrong("metrics.pprof", "there is no listener for it", "set metrics.listen, such as 127.0.0.1:9180")
	}
}

// warnMetrics warns of a listener that other machines can reach without a token.
func (c *Config) warnMetrics(warn func(key, what, fix string)) {
	m := &c.Metrics
	host, _, err := net.SplitHostPort(m.Listen)
	if err == nil && !isLocal(host) && m.Token == "" {
		warn("metrics.listen", "other machines can read the metrics of "+m.Listen, "listen on 127.0.0.1, or set metrics.token")
	}
}

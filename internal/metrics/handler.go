package metrics

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapeTimeout bounds a scrape, whose queries have shorter limits of their own.
const scrapeTimeout = 8 * time.Second

// Handler answers scrapes with the metrics of the process and of a node.
func Handler(node prometheus.Collector) http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(node)
	return promhttp.HandlerFor(prometheus.Gatherers{Registry, own}, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: scrapeTimeout})
}

// Guard asks for a bearer token (RFC 6750, section 2.1). An empty token lets every request pass.
func Guard(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(given)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="metrics"`)
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "Send the token of metrics.token in the header \"Authorization: Bearer TOKEN\".", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

package metrics

import (
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	feedRequests = counters("tidings_feed_requests_total", "Requests for feeds, by status and by the content coding of the answer.", "code", "coding")
	httpRequests = counters("tidings_http_requests_total", "All HTTP requests of the public listener, by status.", "code")
	httpDuration = histograms("tidings_http_request_duration_seconds", "Time of HTTP requests that were not answered from memory.",
		[]float64{0.005, 0.025, 0.1, 0.5, 2.5, 10})
	httpConnections = gauges("tidings_http_connections", "Open connections of the public listener.")
	cacheHits       = counters("tidings_render_cache_hits_total", "Requests that were answered with a document from memory.", "cache")
	cacheMisses     = counters("tidings_render_cache_misses_total", "Requests that waited for a document to be rendered.", "cache")
	webhookRequests = counters("tidings_webhook_requests_total", "Requests of mail services with bounces and complaints, by status.", "service", "code")
	webhookEvents   = counters("tidings_webhook_events_total", "Events in the requests of mail services, by what was done with them.", "service", "result")
	websubJobs      = counters("tidings_websub_jobs_total", "Runs of WebSub jobs: notices to hubs, and the hub's verifications and deliveries.", "kind", "outcome")

	requestDuration = httpDuration.WithLabelValues()
	openConnections = httpConnections.WithLabelValues()
	allRequests     byStatus
	feedsByCoding   [4]byStatus
)

// Codings are the values of the label coding, by the number of the coding in package rendercache.
var Codings = [4]string{"identity", "gzip", "br", "zstd"}

// byStatus finds the counter of a status without hashing labels, which would take as long as a tenth
// of an answer from memory.
type byStatus struct {
	resolved [600]atomic.Pointer[prometheus.Counter]
}

func (b *byStatus) add(status int, of *prometheus.CounterVec, more ...string) {
	if status < 100 || status >= len(b.resolved) {
		status = http.StatusOK // net/http sends it when a handler sets none
	}
	c := b.resolved[status].Load()
	if c == nil {
		made := of.WithLabelValues(append([]string{strconv.Itoa(status)}, more...)...)
		c = &made
		b.resolved[status].Store(c)
	}
	(*c).Inc()
}

// FeedRequest counts a request for a feed. coding is the number of a coding in package rendercache.
func FeedRequest(status, coding int) {
	feedsByCoding[coding].add(status, feedRequests, Codings[coding])
}

// HTTPRequest counts a request. took is its time, or 0 if it was answered from memory.
func HTTPRequest(status int, took time.Duration) {
	allRequests.add(status, httpRequests)
	if took > 0 {
		requestDuration.Observe(took.Seconds())
	}
}

// HTTPConnection is for http.Server.ConnState. It counts the open connections.
func HTTPConnection(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		openConnections.Inc()
	case http.StateClosed, http.StateHijacked:
		openConnections.Dec()
	}
}

// Cache counts the use of a cache of rendered documents.
type Cache struct{ hits, misses prometheus.Counter }

// The caches of rendered documents.
var (
	FeedCache = Cache{cacheHits.WithLabelValues("feeds"), cacheMisses.WithLabelValues("feeds")}
	PageCache = Cache{cacheHits.WithLabelValues("pages"), cacheMisses.WithLabelValues("pages")}
)

// Hit counts a request that was answered with a document from memory.
func (c Cache) Hit() { c.hits.Inc() }

// Miss counts a request that had to wait for its document to be rendered.
func (c Cache) Miss() { c.misses.Inc() }

// Webhook counts a request of a mail service.
func Webhook(service string, status int) {
	webhookRequests.WithLabelValues(service, strconv.Itoa(status)).Inc()
}

// WebhookEvent counts an event in a request of a mail service by its result: recorded, refused (because
// of the sender or the content), suppressed (by the service), ignored (needs no action), unknown (of a
// type that is not known) or not ours.
func WebhookEvent(service, result string) { webhookEvents.WithLabelValues(service, result).Inc() }

// WebSubJob counts a run of a WebSub job.
func WebSubJob(kind, outcome string) { websubJobs.WithLabelValues(kind, outcome).Inc() }

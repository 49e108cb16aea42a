package app

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web"
)

// monitored are the parts of the current instance whose state a scrape reads.
type monitored struct {
	engine     *delivery.Engine
	monitor    *health.Monitor
	cacheSizes map[string]func() int64 // in bytes, by the name of the cache; none for a worker
}

// Metrics of a node that are read at a scrape.
var (
	readyMetric    = describe("tidings_ready", "1 if /readyz answers 200, else 0.")
	storeUpMetric  = describe("tidings_store_up", "1 if the store answered the queries of this scrape, else 0; then the values that come from it are left out.")
	editionsMetric = describe("tidings_editions", "Editions in the store, by state; at most 10000 of one state are counted.", "state")
	mailAgeMetric  = describe("tidings_oldest_mail_age_seconds", "Time since the oldest edition began to be sent that still has mails to send, retries included.")
	lagMetric      = describe("tidings_lag_seconds", "Time for which the oldest work of a kind has been due without a node that does it: a tick, an edition, a job.", "work")
	jobsMetric     = describe("tidings_jobs_due", "Jobs that are due, such as confirmations; at most 10000 are counted.")
	backedUpMetric = describe("tidings_backup_last_success_timestamp_seconds", "Time at which the last backup on schedule that succeeded ended, as Unix time; missing before the first.")
	failedMetric   = describe("tidings_backup_failed", "1 if the last try of a backup on schedule failed, else 0; missing before the first.")
	doctorMetric   = describe("tidings_doctor_findings", "Findings of the last run of all checks of doctor, by severity; missing before the first run.", "severity")
	doctorAtMetric = describe("tidings_doctor_last_run_timestamp_seconds", "Time of the last run of all checks of doctor, as Unix time; missing before the first run.")
	breakerMetric  = describe("tidings_relay_breaker_state", "1 for the state of the circuit breaker of a relay on this node, 0 for the others.", "relay", "state")
	allowedMetric  = describe("tidings_relay_warmup_allowed_mails", "Mails that a relay may send today by its warm-up, over all nodes; missing without one.", "relay")
	usedMetric     = describe("tidings_relay_warmup_used_mails", "Mails of today that nodes took from the warm-up of a relay; missing without one.", "relay")
	cacheMetric    = describe("tidings_render_cache_bytes", "Memory that rendered documents take.", "cache")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// storeValues are what a scrape reads from the store.
type storeValues struct {
	backlog store.Backlog
	checked *doctor.Report // the last run of doctor; nil before the first
	warmups []delivery.RelayWarmup
}

// nodeCollector reads the state of a node and of its store.
type nodeCollector struct {
	node *Node

	mu     sync.Mutex
	read   time.Time // when values and err were read
	values storeValues
	err    error
}

// Describe implements prometheus.Collector.
func (c *nodeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readyMetric, storeUpMetric, editionsMetric, mailAgeMetric, lagMetric, jobsMetric, backedUpMetric, failedMetric, doctorMetric, doctorAtMetric, breakerMetric, allowedMetric, usedMetric, cacheMetric} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *nodeCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	current := c.node.monitored.Load()
	for name, state := range current.engine.Breakers() {
		for _, s := range relay.States {
			gauge(breakerMetric, oneIf(s == state), name, string(s))
		}
	}
	for name, size := range current.cacheSizes {
		gauge(cacheMetric, float64(size()), name)
	}
	gauge(readyMetric, oneIf(current.monitor.Check(context.Background()).Ready))
	values, err := c.readStore(current.engine)
	backlog, checked := values.backlog, values.checked
	gauge(storeUpMetric, oneIf(err == nil))
	if err != nil {
		return
	}
	for _, state := range digest.States {
		gauge(editionsMetric, float64(backlog.Editions[state]), string(state))
	}
	for _, one := range values.warmups {
		gauge(allowedMetric, float64(one.Allowance), one.Relay)
		gauge(usedMetric, float64(one.Used), one.Relay)
	}
	gauge(mailAgeMetric, backlog.OldestMail.Seconds())
	gauge(jobsMetric, float64(backlog.Jobs))
	gauge(lagMetric, backlog.Lag.Tick.Seconds(), "tick")
	gauge(lagMetric, backlog.Lag.Chunk.Seconds(), "edition")
	gauge(lagMetric, backlog.Lag.Job.Seconds(), "job")
	if backlog.HasBackups {
		gauge(failedMetric, oneIf(backlog.BackupFailed))
	}
	if !backlog.BackedUp.IsZero() {
		gauge(backedUpMetric, float64(backlog.BackedUp.UnixMilli())/1000)
	}
	if checked != nil {
		gauge(doctorAtMetric, float64(checked.At.UnixMilli())/1000)
		for _, severity := range doctor.Severities {
			gauge(doctorMetric, float64(checked.Count(severity)), string(severity))
		}
	}
}

func oneIf(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

const (
	backlogLifetime = 3 * time.Second // how long the values of the store are reused
	backlogTimeout  = 2 * time.Second
)

// readStore returns the values of the store, at most backlogLifetime old.
func (c *nodeCollector) readStore(engine *delivery.Engine) (storeValues, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.read) < backlogLifetime {
		return c.values, c.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	var scheduled []string
	for _, d := range engine.Digests {
		if d.Schedule != nil {
			scheduled = append(scheduled, d.Name)
		}
	}
	var v storeValues
	if v.backlog, c.err = c.node.Service.Store.Backlog(ctx, scheduled); c.err == nil {
		v.checked, _, c.err = lastReport(ctx, c.node.Service.Store)
	}
	if c.err == nil {
		v.warmups, c.err = engine.Warmups(ctx)
	}
	c.values, c.read = v, time.Now()
	return v, c.err
}

// metricsHandler answers scrapes of the node.
func (n *Node) metricsHandler() http.Handler {
	return metrics.Guard(n.Service.Config.Metrics.Token.Reveal(), metrics.Handler(&nodeCollector{node: n}))
}

// publicMetrics returns the handler for /metrics of the public listener; nil if the settings name
// another listener, or no token.
func (n *Node) publicMetrics() http.Handler {
	m := n.Service.Config.Metrics
	if m.Listen != "" || m.Token == "" {
		return nil
	}
	return n.metricsHandler()
}

// openMetrics starts the listener for metrics and health checks.
func (n *Node) openMetrics(ctx context.Context, open func(func() error)) error {
	m := n.Service.Config.Metrics
	if m.Listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", m.Listen)
	if err != nil {
		return n.Service.Config.Problem("metrics.listen", err.Error(), "use a free address of this machine")
	}
	server := web.NewServer(n.monitoringRoutes(), n.Service.Log)
	n.Service.Log.Info("metrics", "address", listener.Addr().String())
	open(func() error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // a scrape that is cut is no loss
		defer stop()
		if err := server.Serve(listener); ctx.Err() == nil {
			return err
		}
		return nil
	})
	return nil
}

// monitoringRoutes are the paths of the listener for metrics. Health checks need no token: those of
// a worker have no other address, and they name no path or host.
func (n *Node) monitoringRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.metricsHandler())
	mux.HandleFunc("GET /healthz", web.Alive)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { n.monitored.Load().monitor.ServeHTTP(w, r) })
	if !n.Service.Config.Metrics.Pprof {
		return mux
	}
	token := n.Service.Config.Metrics.Token.Reveal()
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/cmdline": pprof.Cmdline, "/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		mux.Handle("GET "+path, metrics.Guard(token, handler))
	}
	return mux
}

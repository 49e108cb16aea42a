package metrics

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	storeQueries = histograms("tidings_store_query_duration_seconds", "Time of queries of the store, with the reading of their rows, by group of queries; \"commit\" are the ends of transactions, \"recorder\" the commits of outcomes of mails.",
		[]float64{0.001, 0.005, 0.025, 0.1, 0.5, 2.5}, "group")
	sourceSuccess  = gauges("tidings_source_last_success_timestamp_seconds", "Time of the last file of a watched folder that was imported without a problem, as Unix time.", "source")
	sourceFailures = counters("tidings_source_failures_total", "Files of a watched folder that could not be imported, or not as a whole.", "source")

	queryTimers sync.Map // name of a query: prometheus.Observer
)

// StoreQuery records the time since the start of a named query. The group is the part of the name
// before the dot.
func StoreQuery(name string, start time.Time) {
	timer, known := queryTimers.Load(name)
	if !known {
		group, _, _ := strings.Cut(name, ".")
		timer, _ = queryTimers.LoadOrStore(name, storeQueries.WithLabelValues(group))
	}
	timer.(prometheus.Observer).Observe(time.Since(start).Seconds())
}

// Source names a watched folder, so that its series exist from the start.
func Source(name string) {
	sourceFailures.WithLabelValues(name)
}

// SourceFile counts a file of a watched folder that was read at a time.
func SourceFile(source string, imported bool, at time.Time) {
	if !imported {
		sourceFailures.WithLabelValues(source).Inc()
		return
	}
	sourceSuccess.WithLabelValues(source).Set(float64(at.UnixMilli()) / 1000)
}

package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/tidings-press/tidings/internal/metrics"
)

var docs = filepath.Join("..", "..", "docs")

// rule is an alert rule of docs/monitoring/alerts.yaml.
type rule struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func alertRules(t *testing.T) []rule {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(docs, "monitoring", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(data, &file); err != nil || len(file.Groups) != 1 {
		t.Fatalf("%d groups: %v", len(file.Groups), err)
	}
	return file.Groups[0].Rules
}

// dashboardQueries returns the queries of docs/monitoring/dashboard.json, with its variables filled in.
func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(docs, "monitoring", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q has no query", p.Title)
		}
		for _, target := range p.Targets {
			queries = append(queries, strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*").Replace(target.Expr))
		}
	}
	return queries
}

// knownMetrics returns the names of all metrics: those in the table of docs/operations.md, which another
// test compares with a running node, and those of Go.
func knownMetrics(t *testing.T) map[string]bool {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(docs, "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"up": true}
	for _, row := range regexp.MustCompile("(?m)^\\| `(tidings_\\w+)` \\|").FindAllSubmatch(page, -1) {
		known[string(row[1])] = true
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		metrics.Registry.Describe(descriptions)
		close(descriptions)
	}()
	for d := range descriptions {
		known[regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1]] = true
	}
	return known
}

func TestAlertsAndDashboardUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	known, used := knownMetrics(t), map[string]bool{}
	queries := dashboardQueries(t)
	for _, r := range alertRules(t) {
		queries = append(queries, r.Expr)
	}
	name := regexp.MustCompile(`\b(?:tidings|go|process)_\w+`)
	for _, query := range queries {
		found := name.FindAllString(query, -1)
		for _, metric := range found {
			base := strings.TrimSuffix(strings.TrimSuffix(metric, "_bucket"), "_count")
			used[base] = true
			if !known[base] {
				t.Errorf("the metric %s does not exist: %s", metric, query)
			}
		}
		if len(found) == 0 && !strings.HasPrefix(query, "up{") {
			t.Errorf("no metric in %s", query)
		}
	}
	for metric := range known {
		if strings.HasPrefix(metric, "tidings_") && !used[metric] {
			t.Errorf("neither an alert nor the dashboard shows %s", metric)
		}
	}
}

func TestDashboardQueriesAreValid(t *testing.T) {
	t.Parallel()
	var rules []map[string]string
	for i, query := range dashboardQueries(t) {
		rules = append(rules, map[string]string{"record": fmt.Sprintf("dashboard:query_%d", i), "expr": query})
	}
	promtool(t, "check", "rules", writeYAML(t, t.TempDir(), "queries.yaml", map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}}))
}

func TestAlertRulesAreValid(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", filepath.Join(docs, "monitoring", "alerts.yaml"))
}

// series are input series of promtool by their name and labels; the interval is a minute.
type series map[string]string

// alertCases has for each alert series that raise it and series that must not.
var alertCases = map[string]struct {
	labels       map[string]string // of the alert, besides its severity
	raise, quiet series
}{
	"TidingsDown": {
		labels: map[string]string{"job": "tidings", "instance": "a"},
		raise:  series{`up{job="tidings",instance="a"}`: "1x5 0x200"},
		quiet:  series{`up{job="tidings",instance="a"}`: "1x200", `up{job="other",instance="a"}`: "0x200"},
	},
	"TidingsNotReady": {
		labels: map[string]string{"job": "tidings", "instance": "a"},
		raise:  series{`tidings_ready{job="tidings",instance="a"}`: "0x200", `tidings_ready{job="tidings",instance="b"}`: "1x200"},
		quiet:  series{`tidings_ready{job="tidings",instance="a"}`: "1x118 0x1 1x200"},
	},
	"TidingsStoreDown": {
		labels: map[string]string{"job": "tidings", "instance": "a"},
		raise:  series{`tidings_store_up{job="tidings",instance="a"}`: "0x200"},
		quiet:  series{`tidings_store_up{job="tidings",instance="a"}`: "1x200"},
	},
	"TidingsStoreSlow": {
		labels: map[string]string{"instance": "a"},
		raise: series{
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="commit",le="0.5"}`:  "0+1x200",
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="commit",le="2.5"}`:  "0+2x200",
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="commit",le="+Inf"}`: "0+2x200",
		},
		quiet: series{
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="commit",le="0.1"}`:   "0+100x200",
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="commit",le="2.5"}`:   "0+101x200",
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="commit",le="+Inf"}`:  "0+101x200",
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="article",le="0.5"}`:  "0+1x200",
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="article",le="2.5"}`:  "0+2x200",
			`tidings_store_query_duration_seconds_bucket{job="tidings",instance="a",group="article",le="+Inf"}`: "0+2x200",
		},
	},
	"TidingsTickLate": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_lag_seconds{job="tidings",instance="a",work="tick"}`: "0x5 0+60x200"},
		quiet:  series{`tidings_lag_seconds{job="tidings",instance="a",work="tick"}`: "100x200", `tidings_lag_seconds{job="tidings",instance="a",work="job"}`: "500x200"},
	},
	"TidingsEditionStuck": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_lag_seconds{job="tidings",instance="a",work="edition"}`: "0+60x200", `tidings_deliveries_total{job="tidings",instance="a",outcome="sent",reply="accepted"}`: "500x200"},
		quiet:  series{`tidings_lag_seconds{job="tidings",instance="a",work="edition"}`: "0+60x200", `tidings_deliveries_total{job="tidings",instance="b",outcome="sent",reply="accepted"}`: "0+500x200"},
	},
	"TidingsJobsWait": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_lag_seconds{job="tidings",instance="a",work="job"}`: "0+60x200"},
		quiet:  series{`tidings_lag_seconds{job="tidings",instance="a",work="job"}`: "600x200"},
	},
	"TidingsEditionFailed": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_editions{job="tidings",instance="a",state="failed"}`: "3x100 4x200"},
		quiet:  series{`tidings_editions{job="tidings",instance="a",state="failed"}`: "3x200", `tidings_editions{job="tidings",instance="a",state="sent"}`: "3x100 4x200"},
	},
	"TidingsRelayPaused": {
		labels: map[string]string{"job": "tidings", "relay": "main"},
		raise:  series{`tidings_relay_breaker_state{job="tidings",instance="a",relay="main",state="open"}`: "1x200"},
		quiet:  series{`tidings_relay_breaker_state{job="tidings",instance="a",relay="main",state="open"}`: "0x115 1x4 0x200", `tidings_relay_breaker_state{job="tidings",instance="a",relay="main",state="closed"}`: "1x200"},
	},
	"TidingsRefusedForPolicy": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_deliveries_total{job="tidings",outcome="deferred",reply="our_fault"}`: "0+10x200", `tidings_deliveries_total{job="tidings",outcome="sent",reply="accepted"}`: "0+100x200"},
		quiet:  series{`tidings_deliveries_total{job="tidings",outcome="deferred",reply="our_fault"}`: "0+1x200", `tidings_deliveries_total{job="tidings",outcome="sent",reply="accepted"}`: "0+100x200"},
	},
	"TidingsBounces": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_bounces_total{job="tidings",kind="hard",source="smtp"}`: "0+3x200", `tidings_deliveries_total{job="tidings",outcome="sent",reply="accepted"}`: "0+100x200"},
		quiet:  series{`tidings_bounces_total{job="tidings",kind="hard",source="smtp"}`: "0+1x200", `tidings_bounces_total{job="tidings",kind="soft",source="smtp"}`: "0+9x200", `tidings_deliveries_total{job="tidings",outcome="sent",reply="accepted"}`: "0+100x200"},
	},
	"TidingsComplaints": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_complaints_total{job="tidings",source="ses"}`: "0+2x200", `tidings_deliveries_total{job="tidings",outcome="sent",reply="accepted"}`: "0+1000x200"},
		quiet:  series{`tidings_complaints_total{job="tidings",source="ses"}`: "0+1x200", `tidings_deliveries_total{job="tidings",outcome="sent",reply="accepted"}`: "0+2000x200"},
	},
	"TidingsEditionPaused": {
		labels: map[string]string{"job": "tidings", "cause": "refusals"},
		raise:  series{`tidings_edition_pauses_total{job="tidings",cause="refusals"}`: "0x100 1x200"},
		quiet:  series{`tidings_edition_pauses_total{job="tidings",cause="refusals"}`: "5x200"},
	},
	"TidingsSourceFails": {
		labels: map[string]string{"job": "tidings", "source": "articles"},
		raise:  series{`tidings_source_failures_total{job="tidings",source="articles"}`: "0x100 1x200"},
		quiet:  series{`tidings_source_failures_total{job="tidings",source="articles"}`: "5x200"},
	},
	"TidingsWebhookRefused": {
		labels: map[string]string{"job": "tidings", "service": "ses"},
		raise:  series{`tidings_webhook_requests_total{job="tidings",service="ses",code="401"}`: "0+1x200"},
		quiet:  series{`tidings_webhook_requests_total{job="tidings",service="ses",code="204"}`: "0+1x200"},
	},
	"TidingsBackupFailed": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_backup_failed{job="tidings",instance="a"}`: "1x200"},
		quiet:  series{`tidings_backup_failed{job="tidings",instance="a"}`: "0x100 1x9 0x200"},
	},
	"TidingsBackupOld": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_backup_last_success_timestamp_seconds{job="tidings",instance="a"}`: "-200000x200"},
		quiet:  series{`tidings_backup_last_success_timestamp_seconds{job="tidings",instance="a"}`: "0x200"},
	},
	"TidingsDoctorErrors": {
		labels: map[string]string{"job": "tidings"},
		raise:  series{`tidings_doctor_findings{job="tidings",instance="a",severity="error"}`: "_x60 2x200", `tidings_doctor_findings{job="tidings",instance="b",severity="error"}`: "_x60 2x200"},
		quiet:  series{`tidings_doctor_findings{job="tidings",instance="a",severity="error"}`: "1x100 0x200", `tidings_doctor_findings{job="tidings",instance="a",severity="warning"}`: "3x200", `tidings_doctor_findings{job="tidings",instance="a",severity="ok"}`: "20x200"},
	},
	"TidingsErrors": {
		labels: map[string]string{"instance": "a"},
		raise:  series{`tidings_http_requests_total{job="tidings",instance="a",code="500"}`: "0+2x200", `tidings_http_requests_total{job="tidings",instance="a",code="200"}`: "0+100x200"},
		quiet:  series{`tidings_http_requests_total{job="tidings",instance="a",code="404"}`: "0+20x200", `tidings_http_requests_total{job="tidings",instance="a",code="200"}`: "0+100x200"},
	},
	"TidingsFilesRunOut": {
		labels: map[string]string{"job": "tidings", "instance": "a"},
		raise:  series{`process_open_fds{job="tidings",instance="a"}`: "900x200", `process_max_fds{job="tidings",instance="a"}`: "1024x200"},
		quiet:  series{`process_open_fds{job="tidings",instance="a"}`: "100x200", `process_max_fds{job="tidings",instance="a"}`: "1024x200"},
	},
}

// TestAlertsRiseOnlyWithCause evaluates every rule after two hours, with promtool.
func TestAlertsRiseOnlyWithCause(t *testing.T) {
	t.Parallel()
	rulesFile, err := filepath.Abs(filepath.Join(docs, "monitoring", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var tests []any
	add := func(alert string, input series, expected []any) {
		var lines []any
		for name, values := range input {
			lines = append(lines, map[string]any{"series": name, "values": values})
		}
		tests = append(tests, map[string]any{
			"interval": "1m", "input_series": lines,
			"alert_rule_test": []any{map[string]any{"eval_time": "2h", "alertname": alert, "exp_alerts": expected}},
		})
	}
	for _, r := range alertRules(t) {
		c, found := alertCases[r.Alert]
		if !found || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s has no series in this test, or no summary and description", r.Alert)
			continue
		}
		labels := map[string]string{"severity": r.Labels["severity"]}
		for name, value := range c.labels {
			labels[name] = value
		}
		add(r.Alert, c.raise, []any{map[string]any{"exp_labels": labels, "exp_annotations": r.Annotations}})
		add(r.Alert, c.quiet, nil)
	}
	if len(tests) != 2*len(alertCases) {
		t.Errorf("%d tests for %d alerts with series", len(tests), len(alertCases))
	}
	promtool(t, "test", "rules", writeYAML(t, t.TempDir(), "test.yaml", map[string]any{"rule_files": []string{rulesFile}, "evaluation_interval": "5m", "tests": tests}))
}

func writeYAML(t *testing.T, dir, name string, value any) (path string) {
	t.Helper()
	data, err := yaml.Marshal(value)
	path = filepath.Join(dir, name)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// promtool runs promtool. It skips the test without it.
func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is missing; on Debian: apt-get install prometheus")
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", arguments...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
}

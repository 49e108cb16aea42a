package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

const scrapeToken = "a-token-of-a-test"

// ask requests an address, with the headers given as name and value.
func ask(t *testing.T, address string, header ...string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// scrape reads the metrics of a service that serves them on its public listener. On a busy machine
// they can take longer than the time limit of a scrape, which is answered with 503. Then it asks again,
// as Prometheus does.
func (r *running) scrape(t *testing.T) (body string) {
	t.Helper()
	testkit.Eventually(t, "the metrics", func() bool {
		var status int
		if status, body = ask(t, "http://"+r.address+"/metrics", "Authorization", "Bearer "+scrapeToken); status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Fatalf("/metrics answers %d: %s", status, body)
		}
		return status == http.StatusOK
	})
	return body
}

// trafficSettings are those of a node whose digest has a tick each second.
const trafficSettings = `
site: {url: http://localhost}
digests: [{name: weekly, schedule: "* * * * * *", sender: news@press.example}]
relays: [{name: metered, host: 127.0.0.1, port: %d, tls: none, auth: none, warmup: 1000/day x2}]
metrics: {token: ` + scrapeToken + `}
`

// TestMetricsShowRealTraffic serves feeds, makes an edition at a tick and sends it to subscribers of
// whom one does not exist and one has a full mailbox, and reads all of that from the metrics.
func TestMetricsShowRealTraffic(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	smtp := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Match: "dead@", Reply: "550 5.1.1 no such user"},
		{At: sink.AtRcpt, Match: "full@", Reply: "552 5.2.2 mailbox full"},
	}})
	p := open(t, fmt.Sprintf(trafficSettings, smtp.Port()))
	fresh := feedrules.Article(1)
	fresh.Published, fresh.Updated = p.Store.Now(), p.Store.Now()
	putArticles(t, p.Store, fresh)
	for _, name := range []string{"ada", "dead", "full"} {
		sub, err := p.Store.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(name + "@readers.example"), State: subscriber.Active})
		if err == nil {
			err = p.Store.Subscribe(t.Context(), sub.ID, "weekly", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	backup := store.ScheduledBackup{Tick: p.Store.Now().Add(-time.Hour), Name: "press.backup"}
	if claimed, err := p.Store.ClaimBackup(t.Context(), backup.Tick, "test", time.Minute); err != nil || !claimed {
		t.Fatal(claimed, err)
	}
	if err := p.Store.FinishBackup(t.Context(), "test", backup, 0); err != nil {
		t.Fatal(err)
	}
	report, err := json.Marshal(doctor.Report{At: p.Store.Now(), Findings: []doctor.Finding{{Severity: doctor.Error}, {Severity: doctor.Warning}}})
	if err == nil {
		err = p.Store.RecordDiagnosis(t.Context(), store.Diagnosis{At: p.Store.Now(), Errors: 1, Warnings: 1, Report: report})
	}
	if err != nil {
		t.Fatal(err)
	}
	r := runOn(t, p)
	for range 2 {
		ask(t, "http://"+r.address+"/feed.xml", "Accept-Encoding", "gzip")
	}
	ask(t, "http://"+r.address+"/atom.xml", "If-None-Match", "*")
	ask(t, "http://"+r.address+"/tags/nothing/feed.xml")
	ask(t, "http://"+r.address+"/")
	var body string
	testkit.Eventually(t, "the edition in the metrics", func() bool {
		body = r.scrape(t)
		return hasMetric(body, `tidings_editions{state="sent"}`) && hasMetric(body, `tidings_ticks_total{outcome="skipped"}`)
	})
	for _, series := range []string{
		`tidings_ready`, `tidings_store_up`, `tidings_ticks_total{outcome="edition"}`, `tidings_tick_lateness_seconds_count`,
		`tidings_deliveries_total{outcome="sent",reply="accepted"}`, `tidings_deliveries_total{outcome="refused",reply="suppress"}`,
		`tidings_deliveries_total{outcome="refused",reply="soft"}`, `tidings_bounces_total{kind="hard",source="smtp"}`, `tidings_bounces_total{kind="soft",source="smtp"}`,
		`tidings_relay_breaker_state{relay="metered",state="closed"}`, `tidings_smtp_dials_total{outcome="connected",relay="metered"}`,
		`tidings_relay_warmup_allowed_mails{relay="metered"}`,
		`tidings_feed_requests_total{code="200",coding="gzip"}`, `tidings_feed_requests_total{code="304",coding="gzip"}`, `tidings_feed_requests_total{code="404",coding="identity"}`,
		`tidings_http_requests_total{code="200"}`, `tidings_http_connections`, `tidings_http_request_duration_seconds_count`,
		`tidings_render_cache_hits_total{cache="feeds"}`, `tidings_render_cache_misses_total{cache="feeds"}`, `tidings_render_cache_misses_total{cache="pages"}`,
		`tidings_render_cache_bytes{cache="feeds"}`, `tidings_store_query_duration_seconds_count{group="commit"}`, `tidings_store_query_duration_seconds_count{group="article"}`,
		`tidings_doctor_findings{severity="error"}`, `tidings_doctor_findings{severity="warning"}`, `tidings_doctor_last_run_timestamp_seconds`,
		`tidings_backup_last_success_timestamp_seconds`, `go_goroutines`, `process_open_fds`,
	} {
		if !hasMetric(body, series) {
			t.Errorf("%s is missing or 0", series)
		}
	}
	if !strings.Contains(body, "\ntidings_relay_warmup_used_mails{relay=\"metered\"} ") {
		t.Error("the used mails of the warm-up are missing")
	}
	if strings.Contains(body, "readers.example") {
		t.Error("the metrics name a domain of subscribers")
	}
	t.Run("promtool", func(t *testing.T) { promtool(t, body, "check", "metrics") })
	t.Run("docs", func(t *testing.T) { checkDocumented(t, metricNames(body)) })
}

// hasMetric reports whether a series has a value other than 0.
func hasMetric(body, series string) bool {
	_, rest, found := strings.Cut("\n"+body, "\n"+series+" ")
	value, _, _ := strings.Cut(rest, "\n")
	return found && value != "0"
}

// metricNames returns the names of all metrics of the program, in order: those of a scrape, and those
// that have no series yet.
func metricNames(body string) (names []string) {
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (\w+)`).FindAllStringSubmatch(body, -1) {
		names = append(names, found[1])
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		metrics.Registry.Describe(descriptions)
		close(descriptions)
	}()
	for d := range descriptions {
		names = append(names, regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkDocumented compares the names of metrics with the table in docs/operations.md.
func checkDocumented(t *testing.T, names []string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(tidings_\\w+)` \\|").FindAllSubmatch(page, -1) {
		documented[string(row[1])] = true
	}
	for _, name := range names {
		if strings.HasPrefix(name, "tidings_") && !documented[name] {
			t.Errorf("docs/operations.md has no row for %s", name)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/operations.md has a row for %s, which does not exist", name)
	}
}

// promtool runs promtool and requires that it finds nothing. It skips the test without it.
func promtool(t *testing.T, input string, arguments ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is missing; on Debian: apt-get install prometheus")
	}
	command := exec.CommandContext(t.Context(), "promtool", arguments...)
	command.Stdin = strings.NewReader(input)
	out, err := command.CombinedOutput()
	if err != nil || arguments[1] == "metrics" && len(out) > 0 {
		t.Errorf("promtool %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
}

func TestMetricsOfPublicListenerNeedToken(t *testing.T) {
	t.Parallel()
	with := start(t, "site: {url: http://localhost}\nmetrics: {token: "+scrapeToken+"}\n")
	for _, header := range [][]string{nil, {"Authorization", "Bearer a-token-of-a-tes"}, {"Authorization", "Basic " + scrapeToken}, {"Authorization", scrapeToken}} {
		if status, body := ask(t, "http://"+with.address+"/metrics", header...); status != http.StatusUnauthorized || strings.Contains(body, "tidings_") {
			t.Errorf("%v: %d", header, status)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		without := start(t, "site: {url: http://localhost}\n")
		if status, _ := ask(t, "http://"+without.address+path, "Authorization", "Bearer "); status != http.StatusNotFound {
			t.Errorf("%s without settings: %d", path, status)
		}
	}
}

// startMonitored runs a service with a listener for metrics, and returns the URL of that.
func startMonitored(t *testing.T, settings string) (public, monitoring string) {
	t.Helper()
	var log syncBuffer
	c, err := config.Parse([]byte(settings), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := app.Open(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	r := runNode(t, &app.Node{Service: p})
	address := regexp.MustCompile(`msg=metrics address=(\S+)`).FindStringSubmatch(log.String())
	if address == nil {
		t.Fatalf("the log names no address: %s", log.String())
	}
	return "http://" + r.address, "http://" + address[1]
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestMonitoringListenerServesMetricsHealthAndProfiles(t *testing.T) {
	t.Parallel()
	const settings = "store: {dsn: sqlite:tidings.db}\nsite: {url: http://localhost}\nmetrics: {listen: \"127.0.0.1:0\", token: " + scrapeToken + ", pprof: %t}\n"
	for _, pprof := range []bool{true, false} {
		public, monitoring := startMonitored(t, fmt.Sprintf(settings, pprof))
		profiles := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[pprof]
		for path, want := range map[string]int{"/metrics": http.StatusOK, "/healthz": http.StatusOK, "/debug/pprof/": profiles, "/debug/pprof/goroutine?debug=1": profiles, "/": http.StatusNotFound} {
			if status, body := ask(t, monitoring+path, "Authorization", "Bearer "+scrapeToken); status != want {
				t.Errorf("%s with pprof %t: %d %s", path, pprof, status, body)
			}
		}
		testkit.Eventually(t, "the node to be ready", func() bool { status, _ := ask(t, monitoring+"/readyz"); return status == http.StatusOK })
		for _, path := range []string{"/metrics", "/debug/pprof/"} {
			if status, _ := ask(t, monitoring+path); pprof && status != http.StatusUnauthorized {
				t.Errorf("%s without a token: %d", path, status)
			}
			if status, _ := ask(t, public+path, "Authorization", "Bearer "+scrapeToken); status != http.StatusNotFound {
				t.Errorf("%s on the public listener: %d", path, status)
			}
		}
	}
}

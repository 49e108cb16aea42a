// Package health checks whether a node can do its work, answers /readyz, and alerts owners by
// mail. New makes a Monitor; Monitor.Check checks once, Monitor.Run watches and alerts.
package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/disk"
	"github.com/tidings-press/tidings/internal/store"
)

// Options make a Monitor. Store, Engine and Log are needed.
type Options struct {
	Store    *store.Store
	Engine   *delivery.Engine
	Node     string        // name of this process among those that share the store
	Digests  []string      // whose ticks are watched
	DiskFree int64         // bytes; less free space on the disk of the store is reported
	Stuck    time.Duration // work that no node does for so long is reported; 0 for never
	Alerts   bool          // whether owners are alerted by mail
	Every    time.Duration // least time between two alerts about the same cause
	Fallback []string      // addresses to alert while there is no owner
	Site     string        // public URL of the site
	Title    string
	// Certificates returns what is wrong with the certificate of each host that has a problem, such as that
	// it expires soon. It may be nil.
	Certificates func() map[string]string
	Log          *slog.Logger
}

// Monitor watches one node. It is safe for concurrent use.
type Monitor struct {
	Options
	damage atomic.Pointer[store.Fault] // found by the integrity check

	mu      sync.Mutex
	latest  Report
	probing atomic.Bool // a probe of the store has not returned yet
	oldest  oldestJob

	firstSeen map[string]time.Time // first finding of each current cause
	alerted   map[string]time.Time // last alert of this node, by cause
	owners    []string             // addresses, as last read from the store
}

// New makes a Monitor that does not run yet.
func New(o Options) *Monitor {
	return &Monitor{Options: o, firstSeen: map[string]time.Time{}, alerted: map[string]time.Time{}}
}

// Report is the result of a check. It is public, so it contains no path, host or address.
type Report struct {
	Ready    bool      `json:"ready"`
	Reasons  []string  `json:"reasons"`  // why it is not ready
	Warnings []string  `json:"warnings"` // problems that do not keep the node from answering requests
	Lag      Lag       `json:"behind"`
	Checked  time.Time `json:"checked"`

	findings []finding
}

// Lag is how long, in seconds, the oldest work of each kind has been due.
type Lag struct {
	Tick    float64 `json:"tick_seconds"`    // of a schedule
	Edition float64 `json:"edition_seconds"` // with a chunk that no node sends
	Job     float64 `json:"job_seconds"`     // such as a confirmation
}

// finding is a problem that a check found.
type finding struct {
	cause   string        // identifies the problem while it lasts
	text    string        // public
	detail  string        // for owners and logs
	warning bool          // the node is still ready
	grace   time.Duration // how long it may last before owners are alerted
	quiet   bool          // owners are not alerted
}

// reportLifetime is how long a report is reused, so that frequent requests are cheap.
const reportLifetime = time.Second

// checkTimeout is the timeout of one check.
const checkTimeout = 5 * time.Second

// Check checks the node. It returns the last report again within reportLifetime.
func (m *Monitor) Check(ctx context.Context) Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.latest.Checked) < reportLifetime {
		return m.latest
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	var r Report
	r.findings = append(r.findings, m.storeFindings(ctx)...)
	broken := len(r.findings) > 0
	r.findings = append(r.findings, m.diskFindings()...)
	r.findings = append(r.findings, m.certificateFindings()...)
	r.findings = append(r.findings, m.engineFindings()...)
	if !broken { // otherwise each query would run into the timeout
		r.findings = append(r.findings, m.schemaAndClockFindings(ctx)...)
		relays := m.relayFindings(ctx)
		r.findings = append(r.findings, m.lagFindings(ctx, &r.Lag, len(relays) > 0)...)
		r.findings = append(r.findings, relays...)
		r.findings = append(r.findings, m.backupFindings(ctx)...)
	}
	r.summarize()
	m.latest = r
	return r
}

// summarize sets the reasons and warnings from the findings, each text once.
func (r *Report) summarize() {
	r.Reasons, r.Warnings, r.Checked = []string{}, []string{}, time.Now()
	seen := map[string]bool{}
	for _, f := range r.findings {
		if seen[f.text] {
			continue
		}
		seen[f.text] = true
		if f.warning {
			r.Warnings = append(r.Warnings, f.text)
		} else {
			r.Reasons = append(r.Reasons, f.text)
		}
	}
	r.Ready = len(r.Reasons) == 0
}

// ServeHTTP answers with a report: 200 when the node is ready, 503 when it is not.
func (m *Monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report := m.Check(r.Context())
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !report.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(report) // fails only when the client has gone away
}

// storeFindings tests whether the store can be written, and adds recent faults of other work.
func (m *Monitor) storeFindings(ctx context.Context) (out []finding) {
	add := func(kind store.FaultKind, detail error) {
		var fault *store.Fault
		if errors.As(detail, &fault) {
			detail = fault.Err // the text already names the kind
		}
		grace := map[store.FaultKind]time.Duration{store.FaultUnreachable: time.Minute, store.FaultReadOnly: 20 * time.Second}[kind]
		out = append(out, finding{cause: "store: " + string(kind), text: string(kind), detail: fmt.Sprint(detail), grace: grace})
	}
	if err := m.probe(ctx); err != nil {
		kind := store.FaultOf(err)
		if kind == "" {
			kind = store.FaultUnreachable
		}
		add(kind, err)
	}
	if fault := m.Store.LastFault(); fault != nil && (fault.Kind == store.FaultDamaged || time.Since(fault.At) < faultRecent) {
		add(fault.Kind, fault.Err)
	}
	if fault := m.damage.Load(); fault != nil {
		add(fault.Kind, fault.Err)
	}
	return out
}

// faultRecent is how long a fault is reported after it happened. It is longer than the loops wait
// between two tries.
const faultRecent = 10 * time.Second

// probe tests a write to the store. While an earlier probe has not returned it starts no other, so
// that probes do not pile up.
func (m *Monitor) probe(ctx context.Context) error {
	if !m.probing.CompareAndSwap(false, true) {
		return &store.Fault{Kind: store.FaultUnreachable, Err: fmt.Errorf("a write has not finished yet"), At: time.Now()}
	}
	answer := make(chan error, 1)
	go func() {
		defer m.probing.Store(false)
		answer <- m.Store.Probe(ctx, m.Node)
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return &store.Fault{Kind: store.FaultUnreachable, Err: ctx.Err(), At: time.Now()}
	}
}

// diskFullBelow is the free space below which a disk counts as full: one commit of a busy node may
// add that much to the log.
const diskFullBelow = 4 << 20

// diskFindings checks the free space on the disk of the store, if it is on this machine.
func (m *Monitor) diskFindings() []finding {
	folder := m.Store.Folder()
	if folder == "" {
		return nil
	}
	free, err := disk.FreeSpace(folder)
	switch {
	case err != nil:
		return nil // the probe reports the problem
	case free < diskFullBelow:
		return []finding{{cause: "store: " + string(store.FaultFull), text: string(store.FaultFull), detail: fmt.Sprintf("%d KB are free in %s", free>>10, folder)}}
	case free < m.DiskFree:
		return []finding{{cause: "disk", text: "the disk of the store is nearly full", detail: fmt.Sprintf("%d MB are free in %s", free>>20, folder), warning: true}}
	}
	return nil
}

// certificateGrace is how long a host may be without a good certificate before owners are alerted. The
// first request for one takes a while.
const certificateGrace = 15 * time.Minute

// certificateFindings reports the certificates that browsers refuse, or will refuse soon.
func (m *Monitor) certificateFindings() (out []finding) {
	if m.Certificates == nil {
		return nil
	}
	for host, problem := range m.Certificates() {
		out = append(out, finding{cause: "certificate: " + host, text: "a certificate needs attention", detail: host + ": " + problem, warning: true, grace: certificateGrace})
	}
	slices.SortFunc(out, func(a, b finding) int { return strings.Compare(a.cause, b.cause) })
	return out
}

// failingGrace is how long a loop of the engine may fail before it is reported.
const failingGrace = 10 * time.Second

// engineFindings checks whether the engine's loops run and succeed.
func (m *Monitor) engineFindings() (out []finding) {
	heartbeats := m.Engine.Heartbeats()
	if len(heartbeats) == 0 {
		return []finding{{cause: "engine", text: "the engine does not run", detail: "none of its loops is running", grace: time.Minute}}
	}
	now := time.Now()
	for _, p := range heartbeats {
		if p.Stalled(now) {
			out = append(out, finding{cause: "engine: " + p.Name, text: "the engine has stalled: " + p.Name, detail: fmt.Sprintf("inactive since %s", p.At.Format(time.DateTime))})
			continue
		}
		if p.Error == nil || now.Sub(p.FailingSince) < failingGrace {
			continue
		}
		f := finding{cause: "engine fails: " + p.Name, text: "the engine fails: " + p.Name, detail: p.Error.Error(), grace: time.Minute}
		f.warning = store.FaultOf(p.Error) == "" // such as an error in a template: pages are still answered
		out = append(out, f)
	}
	return out
}

// maxTickDelay is how late a tick may be while an engine is running.
const maxTickDelay = 2 * time.Minute

// lagFindings measures how far behind the nodes are. relaysPaused is set while a relay takes no mail,
// which explains mails that wait.
func (m *Monitor) lagFindings(ctx context.Context, behind *Lag, relaysPaused bool) []finding {
	lag, err := m.Store.Lag(ctx, m.Digests)
	if err != nil {
		return []finding{{cause: "store: lag", text: string(store.FaultUnreachable), detail: err.Error(), grace: time.Minute}}
	}
	*behind = Lag{lag.Tick.Seconds(), lag.Chunk.Seconds(), lag.Job.Seconds()}
	switch held, err := m.Store.Quarantine(ctx); {
	case err != nil:
		return nil // the next check tries again
	case held != nil: // ticks wait for an owner, and a mail about them would not be sent
		return []finding{{cause: "quarantine", text: "nothing is sent until an owner releases the store", detail: "the store was restored", warning: true, quiet: true}}
	}
	if lag.Tick > maxTickDelay {
		return []finding{{cause: "late", text: "a digest is overdue", detail: fmt.Sprintf("its tick was due %s ago", lag.Tick.Round(time.Second)), grace: 3 * time.Minute}}
	}
	return m.stuckFindings(lag, relaysPaused)
}

// relayFindings lists the relays that take no mail.
func (m *Monitor) relayFindings(ctx context.Context) (out []finding) {
	holds, err := m.Store.Holds(ctx)
	if err != nil {
		return nil // the next check tries again
	}
	for _, h := range holds {
		f := finding{cause: h.Target(), text: "a relay is paused", detail: fmt.Sprintf("%s until %s: %s", h.Target(), h.Until.Format("15:04:05 MST"), h.Reason), warning: true}
		switch h.Kind {
		case store.ConnectionHeld:
			// A relay with a temporary failure is dialled again within half a minute. A
			// longer hold needs a change of settings, such as after a refused password.
			if h.Until.Sub(m.Store.Now()) < time.Minute {
				f.text, f.grace = "a relay cannot be reached", 5*time.Minute
			}
		case store.DomainHeld:
			continue // too many to alert; the edition's page shows them
		}
		out = append(out, f)
	}
	return out
}

// backupFindings reports the last backup on schedule if it failed, until one succeeds.
func (m *Monitor) backupFindings(ctx context.Context) []finding {
	last, err := m.Store.ScheduledBackups(ctx, 1)
	if err != nil || len(last) == 0 || last[0].Error == "" {
		return nil // after an error the next check tries again
	}
	return []finding{{cause: "backup", text: "the last backup failed", detail: last[0].Error, warning: true}}
}

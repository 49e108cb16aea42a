// Package doctor checks whether a service can send its mail well: its configuration, machine, store,
// relays, DNS records and pages. Run runs the checks and returns a Report with findings.
// docs/doctor.md describes each check.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// Severity is how bad a finding is.
type Severity string

// The severities, from the best to the worst.
const (
	OK      Severity = "ok"
	Notice  Severity = "notice"  // nothing is wrong, but worth knowing
	Warning Severity = "warning" // some mail may be lost, delayed or filtered
	Error   Severity = "error"   // mail is refused, or the service does not work
)

// Severities lists the severities, from the best to the worst.
var Severities = []Severity{OK, Notice, Warning, Error}

// rank returns the place of a severity in Severities.
func (s Severity) rank() int { return slices.Index(Severities, s) }

// Finding is one result of a check.
type Finding struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Why      string   `json:"why,omitempty"` // why it matters
	Fix      string   `json:"fix,omitempty"` // how to fix it
}

// Report is the result of a run.
type Report struct {
	At       time.Time `json:"at"`
	Complete bool      `json:"complete"` // all checks ran
	Severity Severity  `json:"severity"` // the worst
	Checks   []string  `json:"checks"`   // that ran
	Findings []Finding `json:"findings"`
}

// Count returns how many findings have a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity == s {
			n++
		}
	}
	return n
}

// Add appends findings and updates the severity.
func (r *Report) Add(findings ...Finding) {
	r.Findings = append(r.Findings, findings...)
	for _, f := range findings {
		if f.Severity.rank() > r.Severity.rank() {
			r.Severity = f.Severity
		}
	}
}

// Options select what is checked. All are optional: a check reports it if it lacks what it needs.
type Options struct {
	Config      *config.Config
	ConfigError error        // why there is no Config
	Store       *store.Store // open
	StoreError  error        // why there is no Store
	Tokens      *token.Keys  // of the store's links
	Relays      []mailer.Relay
	MaxSizes    []int64 // of the relays: the largest mail by the configuration; 0 for no limit
	DKIM        []mailer.DKIMKey
	DNS         Resolver
	Outgoing    []string    // IP addresses that mail leaves from; found by Run if possible when empty
	Client      HTTPOptions // how pages are requested
	TestMail    *TestMail   // nil sends none
	Now         func() time.Time
}

// check is one check. It returns at least one finding.
type check struct {
	name string
	run  func(ctx context.Context, o *Options) []Finding
}

// checks lists all checks in the order of the report.
var checks = []check{
	{"config", checkConfig},
	{"store", checkStore},
	{"clock", checkClock},
	{"timezone", checkTimezones},
	{"disk", checkDisk},
	{"descriptors", checkDescriptors},
	{"relay", checkRelays},
	{"mx", eachSender(checkMX)},
	{"spf", eachReturnPath(checkSPF)},
	{"dkim", checkDKIM},
	{"dmarc", eachSender(checkDMARC)},
	{"alignment", eachSender(checkAlignment)},
	{"ptr", checkPTR},
	{"mta-sts", eachReturnPath(checkMTASTS)},
	{"tls-rpt", eachReturnPath(checkTLSRPT)},
	{"bimi", eachSender(checkBIMI)},
	{"site", checkSite},
	{"one-click", checkOneClick},
	{"certificate", checkCertificate},
	{testMailCheck, checkTestMail},
}

// Names returns the names of all checks.
func Names() []string {
	names := make([]string, len(checks))
	for i := range checks {
		names[i] = checks[i].name
	}
	return names
}

// SendsMail reports whether a check of this name sends mail, which it needs an address for.
func SendsMail(name string) bool { return name == testMailCheck }

// CheckNames returns an error for the first name that is not a check.
func CheckNames(names []string) error {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("unknown check %q; the checks are: %s", name, strings.Join(Names(), ", "))
		}
	}
	return nil
}

// checkTimeout is how long one check may take, apart from the test mail.
const checkTimeout = 25 * time.Second

// timeout returns how long a check may take.
func (o *Options) timeout(name string) time.Duration {
	if name == testMailCheck {
		return sendingWait + o.TestMail.wait()
	}
	return checkTimeout
}

// Run runs the checks with these names at once, or all checks if there are none. The test mail is sent only
// if there is a TestMail; a run without it is complete too.
func Run(ctx context.Context, o Options, only ...string) Report {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.DKIM = slices.Clone(o.DKIM)
	for i := range o.DKIM {
		o.DKIM[i].Domain = asciiName(o.DKIM[i].Domain) // as in the signatures
	}
	if len(o.Outgoing) == 0 {
		o.Outgoing = ownAddresses(&o)
	}
	report := Report{At: o.Now().UTC(), Severity: OK, Checks: []string{}, Findings: []Finding{}}
	found, expected := make([][]Finding, len(checks)), 0
	var work sync.WaitGroup
	for i, c := range checks {
		if c.name == testMailCheck && o.TestMail == nil {
			continue
		}
		expected++
		if len(only) > 0 && !slices.Contains(only, c.name) {
			continue
		}
		report.Checks = append(report.Checks, c.name)
		work.Go(func() {
			limited, cancel := context.WithTimeout(ctx, o.timeout(c.name))
			defer cancel()
			found[i] = c.run(limited, &o)
			for n := range found[i] {
				found[i][n].Check = c.name
			}
		})
	}
	work.Wait()
	report.Complete = len(report.Checks) == expected
	for _, findings := range found {
		report.Add(findings...)
	}
	return report
}

// Problems returns the findings that need work, the worst first.
func (r *Report) Problems() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Severity.rank() >= Warning.rank() {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return cmp.Compare(b.Severity.rank(), a.Severity.rank()) })
	return out
}

func ok(format string, args ...any) Finding {
	return Finding{Severity: OK, What: fmt.Sprintf(format, args...)}
}

func one(f Finding) []Finding { return []Finding{f} }

// withoutConfig is the finding of a check that needs the configuration.
var withoutConfig = Finding{Severity: Error, What: "not checked, because the configuration cannot be used", Fix: "correct the errors of the check config first"}

// withoutStore is the finding of a check that needs the store.
var withoutStore = Finding{Severity: Error, What: "not checked, because the store cannot be opened", Fix: "correct the errors of the check store first"}

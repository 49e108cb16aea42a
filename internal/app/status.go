package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/certificate"
	"github.com/tidings-press/tidings/internal/warmup"
)

// Status is the state of a service, as far as its store and files show it.
type Status struct {
	Site         string              `json:"site"`
	Store        string              `json:"store"` // the engine
	Quarantined  bool                `json:"quarantined"`
	Overdue      Overdue             `json:"overdue"`
	Holds        []string            `json:"holds"`            // relays and domains that get no mail for a time, and why
	Warmup       []string            `json:"warmup,omitempty"` // relays that may send a limited number of mails today
	Held         []HeldEdition       `json:"held"`             // drafts
	Doctor       DoctorStatus        `json:"doctor"`           // the last complete run of tidings doctor
	TLS          string              `json:"tls"`
	Certificates []CertificateStatus `json:"certificates"`
}

// DoctorStatus is the result of the last complete run of tidings doctor.
type DoctorStatus struct {
	At         *time.Time `json:"at,omitempty"` // nil if there was none
	Good       bool       `json:"good"`         // it found no errors
	Errors     int        `json:"errors"`
	Warnings   int        `json:"warnings"`
	AcceptedBy string     `json:"accepted_by,omitempty"` // who let the first large mail pass without a good run
}

// doctorStatus reads the last complete run of tidings doctor.
func (s *Service) doctorStatus(ctx context.Context) (DoctorStatus, error) {
	d, err := s.Store.Diagnosis(ctx)
	out := DoctorStatus{Good: d.Good(), Errors: d.Errors, Warnings: d.Warnings, AcceptedBy: d.AcceptedBy}
	if !d.At.IsZero() {
		at := d.At.UTC()
		out.At = &at
	}
	return out, err
}

// HeldEdition is a draft that something holds.
type HeldEdition struct {
	Edition string `json:"edition"`
	Digest  string `json:"digest"`
	Reason  string `json:"reason"`
}

// Overdue is how long the oldest work of each kind has been due, in seconds.
type Overdue struct {
	Tick    float64 `json:"tick_seconds"`
	Edition float64 `json:"edition_seconds"`
	Job     float64 `json:"job_seconds"`
}

// CertificateStatus is the state of the certificate of a host.
type CertificateStatus struct {
	Host    string     `json:"host"`
	Issuer  string     `json:"issuer,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
	Days    int        `json:"days_left"` // whole days
	Problem string     `json:"problem,omitempty"`
}

// Status returns the state of the service.
func (s *Service) Status(ctx context.Context) (Status, error) {
	out := Status{Site: s.Config.Site.URL, Store: string(s.Store.Engine()), Holds: []string{}, Held: []HeldEdition{}, TLS: s.Config.Server.TLS, Certificates: s.certificateStates(s.Store.Now())}
	quarantine, err := s.Store.Quarantine(ctx)
	if err != nil {
		return out, err
	}
	out.Quarantined = quarantine != nil
	var scheduled []string
	for _, d := range s.Config.Digests {
		if d.Status == "active" && d.Schedule != "" {
			scheduled = append(scheduled, d.Name)
		}
	}
	lag, err := s.Store.Lag(ctx, scheduled)
	if err != nil {
		return out, err
	}
	out.Overdue = Overdue{lag.Tick.Seconds(), lag.Chunk.Seconds(), lag.Job.Seconds()}
	holds, err := s.Store.Holds(ctx)
	for _, h := range holds {
		out.Holds = append(out.Holds, h.Target()+" until "+h.Until.UTC().Format(time.RFC3339)+": "+h.Reason)
	}
	if err == nil {
		out.Warmup, err = s.warmups(ctx)
	}
	if err != nil {
		return out, err
	}
	if out.Doctor, err = s.doctorStatus(ctx); err != nil {
		return out, err
	}
	drafts, err := s.Store.HeldEditions(ctx, heldAtMost)
	for i := range drafts {
		out.Held = append(out.Held, HeldEdition{drafts[i].ID, drafts[i].Digest, drafts[i].Held})
	}
	return out, err
}

// warmups describes the relays with a warm-up.
func (s *Service) warmups(ctx context.Context) (out []string, err error) {
	for i := range s.Config.Relays {
		r := &s.Config.Relays[i]
		plan, err := warmup.Parse(r.Warmup)
		if err != nil || !plan.Set() {
			continue // the configuration was checked
		}
		today, err := s.Store.WarmupOf(ctx, r.Name, "", plan)
		if err != nil {
			return nil, err
		}
		out = append(out, fmt.Sprintf("relay %s: %d of %d mails of today are used", r.Name, today.Used, today.Allowance))
	}
	return out, nil
}

// heldAtMost bounds how many open editions Status looks at for those that are held.
const heldAtMost = 200

// certificateStates returns the states of the certificates of all hosts of the site; none without TLS.
func (s *Service) certificateStates(now time.Time) []CertificateStatus {
	out := []CertificateStatus{}
	server := s.Config.Server
	if server.TLS == "none" {
		return out
	}
	hosts := s.Config.Site.Hosts()
	if server.TLS == "files" {
		hosts = hosts[:1] // former hosts may be served elsewhere
	}
	for _, host := range hosts {
		state := CertificateStatus{Host: host}
		info, err := certificate.Inspect(server.CertFile)
		if server.TLS == "auto" {
			info, err = certificate.Stored(s.Config.CertificateFolder(), server.ACME.Directory, host)
		}
		if err == nil {
			until := info.Until.UTC()
			state.Issuer, state.Until, state.Days = info.Issuer, &until, int(until.Sub(now)/(24*time.Hour))
			if err = info.Covers(host, now); err == nil && info.Expiring(now) {
				err = fmt.Errorf("it expires on %s and has not been renewed", until.Format(time.DateOnly))
			}
		}
		if err != nil {
			state.Problem = err.Error()
		}
		out = append(out, state)
	}
	return out
}

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

// DoctorOptions say what Diagnose checks.
type DoctorOptions struct {
	DNS      doctor.Resolver
	Outgoing []string // addresses that mail leaves from, if they are known
	Only     []string // names of checks; empty for all

	SendTo subscriber.Address // of a test mail; the zero address sends none
	Wait   time.Duration      // for its arrival; 0 for two minutes
}

// unsent returns a test mail that cannot be sent, whose check reports why; nil if none was asked for.
func (o DoctorOptions) unsent() *doctor.TestMail {
	if o.SendTo.IsZero() {
		return nil
	}
	return &doctor.TestMail{To: o.SendTo.String(), Wait: o.Wait}
}

// Diagnose runs the checks of package doctor on a service that is not open, as far as it can be opened:
// wrong is why there is no configuration.
func Diagnose(ctx context.Context, c *config.Config, wrong error, o DoctorOptions, log *slog.Logger) (doctor.Report, error) {
	if wrong != nil {
		return doctor.Run(ctx, doctor.Options{ConfigError: wrong, DNS: o.DNS, Outgoing: o.Outgoing, TestMail: o.unsent()}, o.Only...), nil
	}
	s, err := Open(ctx, c, log)
	if err != nil {
		s = &Service{Config: c, Log: log}
		options, wrong := s.doctorOptions(ctx, o)
		options.StoreError = errors.Join(err, wrong)
		return doctor.Run(ctx, options, o.Only...), nil
	}
	report, err := s.Diagnose(ctx, o)
	return report, errors.Join(err, s.Close())
}

// Diagnose runs the checks of package doctor. It records a complete run in the store, so that the first
// large edition may be sent if there are no errors.
func (s *Service) Diagnose(ctx context.Context, o DoctorOptions) (doctor.Report, error) {
	options, err := s.doctorOptions(ctx, o)
	if err != nil {
		return doctor.Report{}, err
	}
	report := doctor.Run(ctx, options, o.Only...)
	if !report.Complete || s.Store == nil {
		return report, nil
	}
	data, err := json.Marshal(report)
	if err != nil {
		return report, err
	}
	run := store.Diagnosis{At: report.At, Errors: report.Count(doctor.Error), Warnings: report.Count(doctor.Warning), Report: data}
	if err := s.Store.RecordDiagnosis(store.WithoutAudit(ctx), run); err != nil {
		report.Add(doctor.Finding{Check: "store", Severity: doctor.Error, What: fmt.Sprintf("the result could not be recorded: %v", err)})
	}
	return report, nil
}

// lastReport returns the last run of all checks, nil if there was none, and who let the first mail pass.
func lastReport(ctx context.Context, s *store.Store) (*doctor.Report, store.Diagnosis, error) {
	run, err := s.Diagnosis(ctx)
	if err != nil || run.At.IsZero() {
		return nil, run, err
	}
	report := &doctor.Report{}
	return report, run, json.Unmarshal(run.Report, report)
}

// doctorOptions returns what the checks need. Relays and keys that cannot be read count as mistakes of the
// configuration.
func (s *Service) doctorOptions(ctx context.Context, o DoctorOptions) (doctor.Options, error) {
	out := doctor.Options{
		Config: s.Config, Store: s.Store, DNS: o.DNS, Outgoing: o.Outgoing, Client: doctor.HTTPOptions{Intranet: s.Config.Check.Intranet}, TestMail: o.unsent(),
	}
	for i := range s.Config.Relays {
		relay, err := relayConfig(&s.Config.Relays[i])
		if err != nil {
			return doctor.Options{ConfigError: err, Store: s.Store, DNS: o.DNS, TestMail: o.unsent()}, nil
		}
		out.Relays, out.MaxSizes = append(out.Relays, relay.Relay), append(out.MaxSizes, relay.MaxSize)
	}
	var err error
	if out.DKIM, err = signingKeys(s.Config); err != nil {
		return doctor.Options{ConfigError: err, Store: s.Store, DNS: o.DNS, TestMail: o.unsent()}, nil
	}
	if s.Store == nil {
		return out, nil
	}
	out.Now = s.Store.Now
	keys, err := s.Store.Keys(ctx)
	if err != nil {
		return out, err
	}
	out.Tokens = tokens(keys.Keys)
	if !o.SendTo.IsZero() {
		out.TestMail, err = s.testMail(ctx, o)
	}
	return out, err
}

func tokens(k token.Keys) *token.Keys { return &k }

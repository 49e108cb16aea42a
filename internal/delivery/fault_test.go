package delivery_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/mailer"
)

// faultyEnv is an env whose clock can be moved forward and whose connections have short timeouts.
type faultyEnv struct {
	*env
	ahead atomic.Int64
}

func setupFaulty(t *testing.T, wire sink.Options) *faultyEnv {
	t.Helper()
	f := &faultyEnv{env: setup(t, store.SQLite, wire)}
	f.store = storetest.Reopen(t, f.dsn, store.Options{Clock: func() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }})
	f.options.Store = f.store
	f.options.Relays[0].Timeouts = timeouts(time.Minute) // no server may seem to hang on a busy machine
	return f
}

func timeouts(d time.Duration) mailer.Timeouts {
	return mailer.Timeouts{Connect: d, Command: d, Body: d, Final: d}
}

// forward moves the clock while no mail is being sent.
func (f *faultyEnv) forward(d time.Duration) {
	f.t.Helper()
	f.stop()
	f.ahead.Add(int64(d))
	f.start()
}

// settles reports whether the edition has no open delivery within the given time.
func (f *faultyEnv) settles(id string, within time.Duration) bool {
	f.t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		p, err := f.engine.Progress(f.t.Context(), id)
		if err != nil {
			f.t.Fatal(err)
		}
		if p.Counts.Total > 0 && p.Counts.Open() == 0 && p.Counts.Uncertain == 0 {
			return true
		}
	}
	return false
}

// wantState checks a subscriber's state.
func (f *faultyEnv) wantState(n int, want subscriber.State) {
	f.t.Helper()
	got, err := f.store.SubscriberByAddress(f.t.Context(), subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", n)))
	if err != nil || got.State != want {
		f.t.Errorf("reader %d is %s (%v), want %s", n, got.State, err, want)
	}
}

func TestRefusalsUpdateSubscriberStates(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Match: "reader1@", Reply: "550 5.1.1 no such user"},
		{At: sink.AtRcpt, Match: "reader2@", Reply: "550 5.2.1 mailbox disabled"},
		{At: sink.AfterDot, Match: "reader3@", Reply: "550 5.1.1 no such user"},
		{At: sink.AtRcpt, Match: "reader4@", Reply: "552 5.2.2 mailbox full"},
	}})
	f.addSubscribers(40)
	f.addArticle("ferries")
	f.start()
	p := f.sent(f.send().ID)
	if p.Counts != (store.DeliveryCounts{Total: 40, Sent: 36, Refused: 4}) {
		t.Errorf("counts %+v", p.Counts)
	}
	f.wantOneMailEach(36)
	f.wantState(1, subscriber.Bounced)
	f.wantState(2, subscriber.Active)
	f.wantState(3, subscriber.Bounced)
	f.wantState(4, subscriber.Active)
}

func TestGreylistedMailsArriveLater(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Greylist: 1})
	f.addSubscribers(30)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "put off", func(p delivery.Progress) bool { return p.Counts.Deferred == 30 })
	if len(f.server.Received()) != 0 {
		t.Error("a greylisted mail counts as received")
	}
	f.forward(10 * time.Minute)
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 30, Sent: 30}) {
		t.Errorf("counts %+v", p.Counts)
	}
	f.wantOneMailEach(30)
}

// TestRetriesWaitForDoublingIntervals checks the wait before each of several tries.
func TestRetriesWaitForDoublingIntervals(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Match: "reader3@", Times: 3, Reply: "450 4.2.1 try later"}}})
	f.addSubscribers(5)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "put off", func(p delivery.Progress) bool { return p.Counts.Sent == 4 && p.Counts.Deferred == 1 })
	for i, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		if faults := f.server.FaultCount(0); faults != i+1 {
			t.Fatalf("the mail was tried %d times, want %d", faults, i+1)
		}
		f.forward(wait / 2)
		time.Sleep(10 * f.options.Poll) // several polls
		if got := f.retryDelay(e); got < wait*9/10 || got > wait*11/10 {
			t.Errorf("the mail waits for %v, want about %v", got, wait)
		}
		if f.server.FaultCount(0) != i+1 || len(f.server.Mails()) != 4 {
			t.Fatalf("the mail was tried after %v and should wait for %v", wait/2, wait)
		}
		f.forward(wait * 7 / 10)
		f.eventually("the next try", func() bool { return f.server.FaultCount(0) == i+2 || len(f.server.Mails()) == 5 })
	}
	f.sent(e.ID)
	f.wantOneMailEach(5)
}

// retryDelay returns the time from the last try of the only deferred mail to its next try.
func (f *faultyEnv) retryDelay(e store.Edition) time.Duration {
	f.t.Helper()
	waits, err := f.store.Deliveries(f.t.Context(), e, []digest.DeliveryState{digest.DeliveryDeferred}, 0, 10)
	if err != nil || len(waits) != 1 {
		f.t.Fatalf("%+v, %v", waits, err)
	}
	return waits[0].NextTry.Sub(waits[0].At)
}

func TestRetriesEndAfterConfiguredTime(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Match: "reader7@", Reply: "450 4.2.1 try later"}}})
	f.addSubscribers(10)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "put off", func(p delivery.Progress) bool { return p.Counts.Sent == 9 && p.Counts.Deferred == 1 })
	for i, wait := range []time.Duration{time.Hour, 60 * time.Hour, 12 * time.Hour} { // three tries
		f.forward(wait)
		f.eventually("the next try", func() bool { return f.server.FaultCount(0) == i+2 })
	}
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 10, Sent: 9, Refused: 1}) {
		t.Errorf("counts %+v", p.Counts)
	}
	f.wantState(7, subscriber.Active)
	last, err := f.store.Deliveries(t.Context(), e, []digest.DeliveryState{digest.DeliveryRefused}, 0, 10)
	if err != nil || len(last) != 1 || last[0].Reason != "given up after 72h0m0s and 4 tries: 4.2.1 try later" || last[0].Code != 450 {
		t.Errorf("%+v, %v", last, err)
	}
}

// triedAgain reports whether all mails that are not sent were tried since the time moved forward.
func (f *faultyEnv) triedAgain(e store.Edition) bool {
	f.t.Helper()
	p, err := f.engine.Progress(f.t.Context(), e.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	waits, err := f.store.Deliveries(f.t.Context(), e, []digest.DeliveryState{digest.DeliveryDeferred}, 0, 100)
	if err != nil {
		f.t.Fatal(err)
	}
	return int64(len(waits)) == p.Counts.Open() && !slices.ContainsFunc(waits, func(d store.AddressedDelivery) bool { return !d.NextTry.After(f.store.Now()) })
}

// TestClockJumpOfYearsDoesNotEndRetries: at its first try a mail seems to have been tried for
// years, but it is still retried.
func TestClockJumpOfYearsDoesNotEndRetries(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Greylist: 2})
	f.addSubscribers(10)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "put off", func(p delivery.Progress) bool { return p.Counts.Deferred == 10 })
	for range 2 {
		f.forward(20_000 * time.Hour)
		f.eventually("the next try of each mail", func() bool { return f.triedAgain(e) })
	}
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 10, Sent: 10}) {
		t.Errorf("counts %+v", p.Counts)
	}
}

func TestUnsubscribedBeforeDeliveryIsSkipped(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Greylist: 1})
	f.addSubscribers(10)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "put off", func(p delivery.Progress) bool { return p.Counts.Deferred == 10 })
	left, err := f.store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("reader3@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.store.Unsubscribe(t.Context(), left.ID, "weekly"); err != nil {
		t.Fatal(err)
	}
	if err := f.store.Suppress(t.Context(), subscriber.MustParseAddress("reader4@example.org"), store.EditorReason, "asked by phone"); err != nil {
		t.Fatal(err)
	}
	f.forward(10 * time.Minute)
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 10, Sent: 8, Skipped: 2}) {
		t.Errorf("counts %+v", p.Counts)
	}
	f.wantOneMailEach(8)
}

// TestConnectionsCutAtEveryStageLoseNoMail cuts some connections at each stage: no mail may be
// lost, and only a cut after the dot may send a mail twice.
func TestConnectionsCutAtEveryStageLoseNoMail(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, stage := range []sink.Stage{sink.AtBanner, sink.AtHello, sink.AtMail, sink.AtRcpt, sink.AtData, sink.InBody, sink.AfterDot, sink.AfterReply} {
		for _, action := range []sink.Action{sink.Cut, sink.SendReply} {
			name := map[sink.Action]string{sink.Cut: "cut", sink.SendReply: "421"}[action]
			t.Run(name+" at "+string(stage), func(t *testing.T) {
				t.Parallel()
				f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: stage, Do: action, Reply: "421 4.3.2 closing", After: 2, Times: 3, Accept: action == sink.Cut}}})
				f.addSubscribers(60)
				f.addArticle("ferries")
				f.start()
				e := f.send()
				for range 50 { // a 421 throttles the domain, and each round may get another one
					if f.settles(e.ID, 3*time.Second) {
						break
					}
					f.forward(2 * time.Hour)
				}
				p := f.sent(e.ID)
				if p.Counts != (store.DeliveryCounts{Total: 60, Sent: 60}) {
					t.Errorf("counts %+v", p.Counts)
				}
				doubled := f.server.Tally.Duplicates()
				if f.server.Tally.Distinct() != 60 || doubled > 3 || doubled > 0 && stage != sink.AfterDot {
					t.Errorf("%d subscribers have mail, %d of them twice", f.server.Tally.Distinct(), doubled)
				}
			})
		}
	}
}

func TestUncertainMailsAreHeldUnderHoldPolicy(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Hang, After: 5, Times: 2, Accept: true}}})
	f.options.Policy.Resend = false
	f.options.Relays[0].Timeouts = timeouts(4 * time.Second)
	f.addSubscribers(40)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	p := f.untilProgress(e.ID, "waiting for an editor", func(p delivery.Progress) bool { return p.Counts.Sent == 38 && p.Counts.Uncertain == 2 })
	if p.Edition.State == digest.Sent {
		t.Error("the edition counts as sent though two mails are uncertain")
	}
	f.wantOneMailEach(40)
	if n, err := f.engine.ResolveUncertain(t.Context(), e.ID, false); err != nil || n != 2 {
		t.Errorf("resolved %d mails, %v", n, err)
	}
	f.sent(e.ID)
	f.wantOneMailEach(40)
}

func TestDeliveryStartsWhenServerComesUp(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{})
	_ = f.server.Close()
	f.addSubscribers(100)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "held", func(p delivery.Progress) bool { return len(p.Holds) > 0 })
	f.server = f.restartServer(f.server, sink.Options{})
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 100, Sent: 100}) {
		t.Errorf("counts %+v", p.Counts)
	}
	f.wantOneMailEach(100)
}

// restartServer returns a server that listens on the old port again.
func (f *faultyEnv) restartServer(gone *testkit.SMTPServer, wire sink.Options) *testkit.SMTPServer {
	f.t.Helper()
	listener, err := net.Listen("tcp", gone.Addr().String())
	if err != nil {
		f.t.Skipf("SKIPPED: another process took the port: %v", err)
	}
	return testkit.StartSMTPServerOn(f.t, listener, wire)
}

// TestMisconfiguredRelayIsHeldWithReason checks that a wrong setting does not use up the list, and
// that the reason is shown.
func TestMisconfiguredRelayIsHeldWithReason(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	for name, test := range map[string]struct {
		wire   sink.Options
		change func(*mailer.Relay)
		reason string
	}{
		"wrong password": {sink.Options{Users: map[string]string{"press": "secret"}},
			func(r *mailer.Relay) { r.Username, r.Password, r.Auth = "press", "wrong", mailer.AuthPlain }, "535"},
		"wrong certificate": {sink.Options{TLS: cert.Server},
			func(r *mailer.Relay) { r.Security, r.TLS = mailer.StartTLS, &tls.Config{} }, "certificate"},
		"no common TLS": {sink.Options{TLS: &tls.Config{Certificates: cert.Server.Certificates, MinVersion: tls.VersionTLS13}},
			func(r *mailer.Relay) {
				r.Security, r.TLS = mailer.StartTLS, &tls.Config{RootCAs: cert.Roots, MaxVersion: tls.VersionTLS12}
			}, "protocol version"},
		"no TLS":         {sink.Options{}, func(r *mailer.Relay) { r.Security = mailer.StartTLS }, "STARTTLS"},
		"refused sender": {sink.Options{Faults: []sink.Fault{{At: sink.AtMail, Reply: "550 5.7.1 you are blocked"}}}, nil, "blocked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setupFaulty(t, test.wire)
			if test.change != nil {
				test.change(&f.options.Relays[0].Relay)
			}
			f.addSubscribers(50)
			f.addArticle("ferries")
			f.start()
			e := f.send()
			p := f.untilProgress(e.ID, "held with the reason", func(p delivery.Progress) bool {
				return strings.Contains(fmt.Sprint(p.Holds), test.reason)
			})
			if p.Counts.Sent+p.Counts.Refused+p.Counts.Skipped > 0 || p.Edition.State == digest.Sent {
				t.Errorf("%s, counts %+v", p.Edition.State, p.Counts)
			}
			if made, _ := f.server.Connections(); made > 20 {
				t.Errorf("%d connections were made", made)
			}
			f.wantState(1, subscriber.Active)
		})
	}
}

func TestDeliveryOverLMTPUnixSocket(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{})
	listener, path := testkit.ListenUnix(t)
	f.server = testkit.StartSMTPServerOn(t, listener, sink.Options{LMTP: true})
	f.options.Relays[0].Socket, f.options.Relays[0].Protocol = path, mailer.LMTP
	f.addSubscribers(60)
	f.addArticle("ferries")
	f.start()
	f.sent(f.send().ID)
	f.wantOneMailEach(60)
}

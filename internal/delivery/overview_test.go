package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// overview returns the kinds of tasks with their editions, and how many editions are sending and ended.
func (b *env) overview() (tasks []string, sending, ended int) {
	b.t.Helper()
	o, err := b.engine.Overview(b.t.Context(), 10)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, task := range o.Tasks {
		tasks = append(tasks, string(task.Kind)+" "+task.Edition.Subject+task.Hold.Relay)
	}
	return tasks, len(o.Sending), len(o.Ended)
}

func TestOverviewListsTasksByUrgency(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) { o.Digests[0].Automatic = false }, func(b *env) {
		ctx := b.t.Context()
		b.addSubscribers(2)
		var err error
		if b.engine, err = delivery.New(ctx, b.options); err != nil {
			b.t.Fatal(err)
		}
		if tasks, sending, ended := b.overview(); len(tasks)+sending+ended > 0 {
			b.t.Errorf("a new store has tasks %q, %d sending, %d ended", tasks, sending, ended)
		}
		draft := func(slug string) store.Edition {
			b.addArticle(slug)
			e, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
			if err == nil {
				e, err = b.store.Edition(ctx, e.ID)
			}
			if err != nil {
				b.t.Fatal(err)
			}
			return e
		}
		failed, proof := draft("ferries"), draft("lighthouse")
		if err := b.store.SetEditionState(ctx, failed.ID, digest.Failed, "the template is broken"); err != nil {
			b.t.Fatal(err)
		}
		if err := b.store.PutHold(ctx, store.Hold{Relay: "main", Kind: store.RelayHeld, Until: time.Now().Add(time.Hour), Reason: "blocked"}); err != nil {
			b.t.Fatal(err)
		}
		if err := b.store.PutHold(ctx, store.Hold{Relay: "main", Kind: store.DomainHeld, Domain: "example.org", Until: time.Now().Add(time.Hour), Reason: "slow"}); err != nil {
			b.t.Fatal(err)
		}
		tasks, sending, ended := b.overview()
		if got, want := fmt.Sprintf("%q %d %d", tasks, sending, ended), fmt.Sprintf("%q 0 1", []string{"relay main", "failed " + failed.Subject, "proof " + proof.Subject}); got != want {
			b.t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestResultsListRetriesByReason(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{Greylist: 100}, func(*delivery.Options) {}, func(b *env) {
		b.importSubscribers(5)
		b.addArticle("ferries")
		b.start()
		b.untilProgress(b.send().ID, "that all mails are deferred", func(p progress) bool { return p.Counts.Deferred == 5 })
		list, err := b.engine.Results(b.t.Context(), "weekly", 5)
		if err != nil || len(list) != 1 || len(list[0].Failures) == 0 {
			b.t.Fatalf("%+v, %v", list, err)
		}
		if one := list[0]; !one.Retrying() || one.Rate != 0 || one.Failures[0].State != digest.DeliveryDeferred || one.Failures[0].Count != 5 || one.Failures[0].Code == "" {
			b.t.Errorf("it is shown as %+v", one)
		}
		if list, err = b.engine.Results(b.t.Context(), "daily", 5); err != nil || len(list) > 0 {
			b.t.Errorf("of another digest: %+v, %v", list, err)
		}
	})
}

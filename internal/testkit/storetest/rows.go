package storetest

import (
	"cmp"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Job is a stored job.
type Job struct {
	Kind, State, Error string // State is open, done or failed
	Due, Ended         time.Time
}

// Jobs returns the jobs of a store in the order in which they were enqueued.
func Jobs(t testing.TB, s *store.Store) []Job {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), "SELECT kind, state, error, due, finished FROM jobs ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []Job
	for rows.Next() {
		var j Job
		var due, ended int64
		if err := rows.Scan(&j.Kind, &j.State, &j.Error, &due, &ended); err != nil {
			t.Fatal(err)
		}
		j.Due, j.Ended = time.UnixMilli(due), time.UnixMilli(ended)
		out = append(out, j)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// CountJobs returns the number of jobs in a state.
func CountJobs(t testing.TB, s *store.Store, state string) int {
	t.Helper()
	n := 0
	for _, job := range Jobs(t, s) {
		if job.State == state {
			n++
		}
	}
	return n
}

// Delivery returns the delivery of an edition to a subscriber, or store.ErrNotFound.
func Delivery(t testing.TB, s *store.Store, e store.Edition, subscriber int64) (digest.Delivery, error) {
	t.Helper()
	found, err := s.Deliveries(t.Context(), e, digest.DeliveryStates, subscriber-1, 1)
	if err == nil && (len(found) == 0 || found[0].Subscriber != subscriber) {
		err = store.ErrNotFound
	}
	if err != nil {
		return digest.Delivery{}, err
	}
	return found[0].Delivery, nil
}

// AddEditor adds an editor by an invitation, with the role of an editor if e has none.
func AddEditor(t testing.TB, s *store.Store, e store.Editor) (store.Editor, error) {
	t.Helper()
	token, err := s.CreateLink(t.Context(), store.Link{Purpose: store.InviteLink, Role: cmp.Or(e.Role, store.EditorRole)}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return s.CreateEditorFromLink(t.Context(), token, e)
}

// Editor adds an editor by an invitation, which must succeed.
func Editor(t testing.TB, s *store.Store, e store.Editor) store.Editor {
	t.Helper()
	e, err := AddEditor(t, s, e)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// List returns the rows of a list of subscribers.
func List(t testing.TB, data io.Reader) iter.Seq2[subscriber.Row, error] {
	t.Helper()
	list, err := subscriber.OpenList(data, subscriber.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Rows()
}

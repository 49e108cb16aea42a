package websub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Job is a piece of work that is done at least once.
type Job struct {
	Kind    string
	Key     string // of open jobs of a kind each key is there once
	Payload []byte
	Newest  bool          // an open one of the key gets this payload, and is done again if it is under way
	After   time.Duration // when it may be done, from now on
	Tries   int           // of a claimed one: since it last got on, this one included
	Handle  any           // the queue's own
}

// Queue keeps jobs durably; the store has one.
type Queue interface {
	// Enqueue keeps jobs, all of them or none.
	Enqueue(ctx context.Context, jobs ...Job) error
	// Open counts the open jobs of a kind whose key begins with a prefix, no further
	// than limit.
	Open(ctx context.Context, kind, prefix string, limit int64) (int64, error)
	// Claim takes up to n due jobs of some kinds for the length of the lease.
	Claim(ctx context.Context, kinds []string, n int, lease time.Duration) ([]Job, error)
	// Settle says how a turn at a claimed job ended.
	Settle(ctx context.Context, job Job, end End) error
}

// End is how a turn at a job ended.
type End struct {
	State  State
	After  time.Duration // when it is due again
	Reason string        // what went wrong
}

// State is what becomes of a job after a turn.
type State int

// The states. A job that got on has more to do and its tries begin anew.
const (
	Done State = iota
	Failed
	GotOn
	Stumbled
)

// Task is how jobs of a kind are done.
type Task struct {
	// Do does a job, or a part of it and returns gotOn.
	Do    func(ctx context.Context, payload []byte) error
	Tries int           // how often it is tried without getting on; 20 when 0, which is about three days
	Rest  time.Duration // the longest delay between tries; six hours when 0
}

// errGone says that a job cannot succeed, however often it is tried.
var errGone = errors.New("no use trying again")

// gotOn says that a job was done in part: the rest after a while, or after the delay
// of a first try when something went wrong at last.
type gotOn struct {
	after time.Duration
	wrong error
}

func (g gotOn) Error() string { return fmt.Sprintf("there is more to do in %v, %v", g.after, g.wrong) }

func encode(payload any) []byte {
	data, err := json.Marshal(payload)
	if err != nil {
		panic("websub: payloads of this package are plain structs: " + err.Error())
	}
	return data
}

func decode(payload []byte, into any) error {
	if err := json.Unmarshal(payload, into); err != nil {
		return fmt.Errorf("%w: payload %q: %v", errGone, payload, err)
	}
	return nil
}

package digest

import "slices"

// State is where an edition stands.
type State string

// The states of an edition.
const (
	Draft     State = "draft"
	Approved  State = "approved"
	Sending   State = "sending"
	Paused    State = "paused"
	Sent      State = "sent"
	Cancelled State = "cancelled"
	Failed    State = "failed"
)

// States are all states of an edition, in the order of its life.
var States = []State{Draft, Approved, Sending, Paused, Sent, Cancelled, Failed}

// Transitions says which changes of an edition's state are allowed, and on what
// occasion. docs/states.md is drawn from it.
var Transitions = []Transition[State]{
	{Draft, Approved, "an editor approves it, or its digest approves by itself"},
	{Draft, Cancelled, "an editor drops it"},
	{Draft, Failed, "it cannot be composed or rendered"},
	{Approved, Sending, "a node takes it up"},
	{Approved, Paused, "an editor pauses it before its first mail"},
	{Approved, Cancelled, "an editor drops it before its first mail"},
	{Approved, Failed, "what was frozen cannot be read or cast"},
	{Sending, Sent, "every subscriber has a final state; with nothing but retries left it is shown as \"sent, 5 being retried\""},
	{Sending, Paused, "an editor pauses it, or the fault is ours and sending on would burn the list"},
	{Sending, Cancelled, "an editor stops it; who has it keeps it"},
	{Sending, Failed, "what was frozen cannot be read or cast"},
	{Paused, Sending, "an editor resumes it"},
	{Paused, Cancelled, "an editor gives it up"},
}

// CanBecome reports whether an edition may go from s to next.
func (s State) CanBecome(next State) bool { return canBecome(Transitions, s, next) }

// Final reports whether nothing follows on s.
func (s State) Final() bool { return final(Transitions, States, s) }

// Transition is one allowed change of a state.
type Transition[S ~string] struct {
	From, To S
	When     string // the occasion, for people
}

func canBecome[S ~string](table []Transition[S], from, to S) bool {
	return slices.ContainsFunc(table, func(t Transition[S]) bool { return t.From == from && t.To == to })
}

// final is false for words that are no state at all.
func final[S ~string](table []Transition[S], states []S, s S) bool {
	leaves := slices.ContainsFunc(table, func(t Transition[S]) bool { return t.From == s })
	return !leaves && slices.Contains(states, s)
}

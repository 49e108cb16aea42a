package digest

import "slices"

// State is the state of an edition.
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

// States lists all states of an edition, in the usual order.
var States = []State{Draft, Approved, Sending, Paused, Sent, Cancelled, Failed}

// Transitions lists the allowed changes of an edition's state, and what causes each.
// docs/states.md is drawn from it.
var Transitions = []Transition[State]{
	{Draft, Approved, "enough editors approve it, its digest approves automatically, or at its tick by `at_deadline: send`; approved before its tick, it waits for it"},
	{Draft, Cancelled, "an editor cancels it, or at its tick by `at_deadline: skip`"},
	{Draft, Failed, "it cannot be composed or rendered"},
	{Approved, Sending, "a node claims its first chunk"},
	{Approved, Draft, "an editor undoes the approval before a node claims its first chunk"},
	{Approved, Paused, "an editor pauses it before its first mail"},
	{Approved, Cancelled, "an editor cancels it before its first mail"},
	{Approved, Failed, "its stored variants cannot be read or compiled"},
	{Sending, Sent, "every delivery has a final state; while only retries are left, it is shown as \"sent, 5 retrying\""},
	{Sending, Paused, "an editor pauses it, or it is held after a restore"},
	{Sending, Cancelled, "an editor cancels it; subscribers who got it keep it"},
	{Sending, Failed, "its stored variants cannot be read or compiled"},
	{Paused, Sending, "an editor resumes it"},
	{Paused, Approved, "an editor resumes it before its tick"},
	{Paused, Cancelled, "an editor cancels it"},
}

// Label returns the state as pages and commands show it.
func (s State) Label() string {
	switch s {
	case Draft:
		return "awaiting approval"
	case Approved:
		return "starting"
	}
	return string(s)
}

// CanBecome reports whether an edition may change from s to next.
func (s State) CanBecome(next State) bool { return canBecome(Transitions, s, next) }

// Final reports whether no state follows s.
func (s State) Final() bool { return final(Transitions, States, s) }

// Transition is one allowed change of a state.
type Transition[S ~string] struct {
	From, To S
	When     string // what causes it, for docs/states.md
}

func canBecome[S ~string](table []Transition[S], from, to S) bool {
	return slices.ContainsFunc(table, func(t Transition[S]) bool { return t.From == from && t.To == to })
}

// final returns false for strings that are not a state.
func final[S ~string](table []Transition[S], states []S, s S) bool {
	leaves := slices.ContainsFunc(table, func(t Transition[S]) bool { return t.From == s })
	return !leaves && slices.Contains(states, s)
}

package subscriber

import "slices"

// State is where a subscriber stands.
type State string

// The states of a subscriber. Only an Active one is sent digests.
const (
	Pending      State = "pending"
	Active       State = "active"
	Paused       State = "paused"
	Unsubscribed State = "unsubscribed"
	Bounced      State = "bounced"
	Complained   State = "complained"
	Erased       State = "erased"
)

// States are all states, in the order of a life.
var States = []State{Pending, Active, Paused, Unsubscribed, Bounced, Complained, Erased}

// Transition is one allowed change of a state.
type Transition struct {
	From, To State
	When     string // the occasion, for people
}

// Transitions says which changes of state are allowed, and on what occasion. From Unsubscribed,
// Bounced and Complained nothing leads back to Active but the person's own
// doing, or an editor who lifts a suppression by hand.
var Transitions = []Transition{
	{Pending, Active, "the person confirms"},
	{Pending, Unsubscribed, "the person says no in the confirmation mail"},
	{Pending, Bounced, "the confirmation mail is refused for good"},
	{Pending, Complained, "the person reports the confirmation mail as spam"},
	{Pending, Erased, "the person asks for it, or never confirms"},
	{Active, Paused, "the person or an editor pauses all mail"},
	{Active, Unsubscribed, "the person leaves the last digest"},
	{Active, Bounced, "the address does not exist, or bounces too often"},
	{Active, Complained, "the person reports a mail as spam"},
	{Active, Erased, "the person asks for it"},
	{Paused, Active, "the pause ends"},
	{Paused, Unsubscribed, "the person leaves the last digest"},
	{Paused, Bounced, "a late bounce comes in"},
	{Paused, Complained, "a late complaint comes in"},
	{Paused, Erased, "the person asks for it"},
	{Unsubscribed, Pending, "the person subscribes anew"},
	{Unsubscribed, Active, "the person takes it back by a link that was mailed to them"},
	{Unsubscribed, Bounced, "a late bounce comes in"},
	{Unsubscribed, Complained, "a late complaint comes in"},
	{Unsubscribed, Erased, "the person asks for it"},
	{Bounced, Pending, "the suppression is lifted and the person subscribes anew"},
	{Bounced, Active, "an editor lifts the suppression"},
	{Bounced, Unsubscribed, "the person leaves"},
	{Bounced, Complained, "a late complaint comes in"},
	{Bounced, Erased, "the person asks for it"},
	{Complained, Pending, "the suppression is lifted and the person subscribes anew"},
	{Complained, Unsubscribed, "the person leaves"},
	{Complained, Erased, "the person asks for it"},
}

// CanBecome says whether a subscriber may go from s to next.
func (s State) CanBecome(next State) bool {
	return slices.ContainsFunc(Transitions, func(t Transition) bool { return t.From == s && t.To == next })
}

// Known says whether s is one of States.
func (s State) Known() bool { return slices.Contains(States, s) }

// Mailable says whether digests are sent to a subscriber in this state.
func (s State) Mailable() bool { return s == Active }

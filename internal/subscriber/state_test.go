package subscriber

import "testing"

func TestTransitionsAreConsistent(t *testing.T) {
	t.Parallel()
	seen := map[[2]State]bool{}
	for _, change := range Transitions {
		pair := [2]State{change.From, change.To}
		if seen[pair] || !change.From.Known() || !change.To.Known() || change.When == "" || change.From == change.To {
			t.Errorf("%+v is listed twice or is not a valid change", change)
		}
		seen[pair] = true
	}
	for _, s := range States {
		if s != Erased && !s.CanBecome(Erased) {
			t.Errorf("a %s subscriber cannot be erased", s)
		}
		if Erased.CanBecome(s) {
			t.Errorf("an erased subscriber comes back as %s", s)
		}
		if s != Erased && s != Unsubscribed && !s.CanBecome(Unsubscribed) {
			t.Errorf("a %s subscriber cannot leave", s)
		}
		if s.Mailable() != (s == Active) {
			t.Errorf("mail to a %s subscriber", s)
		}
	}
	if Complained.CanBecome(Active) || State("nonsense").Known() {
		t.Error("an editor must not undo a complaint, and unknown states must not be known")
	}
}

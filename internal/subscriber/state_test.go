package subscriber

import "testing"

func TestTransitionsFitTogether(t *testing.T) {
	t.Parallel()
	seen := map[[2]State]bool{}
	for _, change := range Transitions {
		pair := [2]State{change.From, change.To}
		if seen[pair] || !change.From.Known() || !change.To.Known() || change.When == "" || change.From == change.To {
			t.Errorf("%+v stands twice or makes no sense", change)
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
		t.Error("a complaint is undone by nobody but the person")
	}
}

package feed

import "testing"

func TestMailboxIsAnAddressThatAllValidatorsAccept(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" ada@example.org ": "ada@example.org", "a.d+a@Bücher.example": "a.d+a@xn--bcher-kva.example",
		"ada": "", "ada@example": "", "a..b@example.org": "", "ada@-example.org": "", `"two words"@example.org`: "", "jürgen@example.org": "", "ada@example.xn--p1ai": "", "ada@example.org>": "",
	} {
		if got := mailbox(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

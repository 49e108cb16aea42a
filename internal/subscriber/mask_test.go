package subscriber

import "testing"

func TestMaskedAddressHidesMostLetters(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"ada@mail.example.org": "a…@m….org", "Jürgen@bücher.example": "J…@b….example", "a@b.org": "a…@b….org",
		`"two words"@example.org`: "t…@e….org", "éa@example.org": "é…@e….org",
	} {
		if got := MustParseAddress(address).Masked(); got != want {
			t.Errorf("%s is masked as %s, want %s", address, got, want)
		}
	}
	if got := (Address{}).Masked(); got != "" {
		t.Errorf("no address is masked as %q", got)
	}
}

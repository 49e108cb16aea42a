package subscriber

import (
	"bytes"
	"testing"
)

func TestSuppressionHashSurvivesRotationAndSpelling(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	old, fresh := NewKeys(secret), NewKeys([]byte("a fresh secret of 32 bytes......"), secret)
	a := MustParseAddress("Ada@bücher.example")
	if !bytes.Equal(old.SuppressionHash(a), fresh.SuppressionHash(MustParseAddress("ada@BÜCHER.example"))) {
		t.Error("a suppression was lost by rotation or spelling")
	}
	if bytes.Equal(old.SuppressionHash(a), old.SuppressionHash(MustParseAddress("ada@example.org"))) {
		t.Error("two people have one suppression hash")
	}
}

package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestChangedWordsOfALineAreMarked(t *testing.T) {
	t.Parallel()
	got := Lines("# Harbour\n\nThe ferry leaves at nine.\n\nEnd", "# Harbour\n\nThe last ferry leaves at ten.\n\nEnd")
	var text strings.Builder
	for _, line := range got {
		fmt.Fprintf(&text, "%s:", line.Kind)
		for _, part := range line.Parts {
			if part.Changed {
				fmt.Fprintf(&text, "[%s]", part.Text)
			} else {
				text.WriteString(part.Text)
			}
		}
		text.WriteByte('\n')
	}
	want := "same:# Harbour\nsame:\nremoved:The ferry leaves at [nine].\nadded:The [last ]ferry leaves at [ten].\nsame:\nsame:End\n"
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
}

func TestUnchangedLinesAwayFromChangesAreSkipped(t *testing.T) {
	t.Parallel()
	before := strings.Repeat("same\n", 20)
	got := Lines(before, before+"new\n")
	if len(got) != 4 || got[0].Kind != Skipped || got[0].Count != 18 || got[3].Kind != Added {
		t.Errorf("got %+v", got)
	}
	if same := Lines(before, strings.ReplaceAll(before, "\n", "\r\n")); same != nil {
		t.Errorf("the same text differs: %+v", same)
	}
}

// TestEditsTurnOneTextIntoTheOther applies the edits of random texts.
func TestEditsTurnOneTextIntoTheOther(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func() []string {
		out := make([]string, random.IntN(30))
		for i := range out {
			out[i] = string(rune('a' + random.IntN(4)))
		}
		return out
	}
	for range 2000 {
		a, b := text(), text()
		var got []string
		x := 0
		for _, e := range compare(a, b) {
			got = append(append(got, a[x:e.oldFrom]...), b[e.newFrom:e.newTo]...)
			x = e.oldTo
		}
		if got = append(got, a[x:]...); strings.Join(got, "") != strings.Join(b, "") {
			t.Fatalf("%v and %v: the edits lead to %v", a, b, got)
		}
	}
}

func TestLongDifferentTextsAreComparedInBoundedTime(t *testing.T) {
	t.Parallel()
	var a, b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&a, "old %d\n", i)
		fmt.Fprintf(&b, "new %d\n", i)
	}
	if got := Lines(a.String(), b.String()); len(got) != 40_000 {
		t.Errorf("%d lines", len(got))
	}
}

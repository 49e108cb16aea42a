package diff

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// randomText returns lines of few words, so that many of them are equal.
func randomText(random *rand.Rand, lines int) string {
	words := []string{"the", "ferry", "left", "at", "nine", "é", "日本", "  ", "-", "", "a\tb"}
	var out strings.Builder
	for range lines {
		for range random.IntN(4) {
			out.WriteString(words[random.IntN(len(words))] + " ")
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// changed returns a text with some lines removed, added and changed.
func changed(random *rand.Rand, text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		switch random.IntN(8) {
		case 0:
		case 1:
			out = append(out, line, "added "+line)
		case 2:
			out = append(out, line+" more")
		default:
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// TestLinesHoldBothTexts puts the two texts together again from the lines of their comparison.
func TestLinesHoldBothTexts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 21))
	for range 500 {
		before := randomText(random, random.IntN(40))
		after := changed(random, before)
		if random.IntN(5) == 0 {
			after = randomText(random, random.IntN(40))
		}
		a, b := split(before), split(after)
		x, y := 0, 0
		for _, line := range Lines(before, after) {
			var text strings.Builder
			marked := false
			for _, part := range line.Parts {
				text.WriteString(part.Text)
				marked = marked || part.Changed
				if part.Text == "" && len(line.Parts) > 1 {
					t.Fatalf("a line has the parts %+v", line.Parts)
				}
			}
			switch line.Kind {
			case Same:
				if text.String() != a[x] || text.String() != b[y] || marked {
					t.Fatalf("%q is not line %d of %q and line %d of %q", text.String(), x, a, y, b)
				}
				x, y = x+1, y+1
			case Skipped:
				for range line.Count {
					if a[x] != b[y] {
						t.Fatalf("line %q was skipped, although it changed to %q", a[x], b[y])
					}
					x, y = x+1, y+1
				}
				if line.Count == 0 || line.Parts != nil {
					t.Fatalf("%+v", line)
				}
			case Removed:
				if text.String() != a[x] {
					t.Fatalf("%q is not line %d of %q", text.String(), x, a)
				}
				x++
			case Added:
				if text.String() != b[y] {
					t.Fatalf("%q is not line %d of %q", text.String(), y, b)
				}
				y++
			}
		}
		if same := Lines(before, after) == nil; same != (strings.Join(a, "\n") == strings.Join(b, "\n") && len(a) == len(b)) || !same && (x != len(a) || y != len(b)) {
			t.Fatalf("%d of %d and %d of %d lines are left of %q and %q", len(a)-x, len(a), len(b)-y, len(b), a, b)
		}
	}
}

// TestEditsAreAsFewAsThoseOfGit compares the number of removed and added lines with those of git's diff with
// its minimal algorithm.
func TestEditsAreAsFewAsThoseOfGit(t *testing.T) {
	t.Parallel()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git")
	}
	random := rand.New(rand.NewPCG(2, 22))
	folder := t.TempDir()
	for i := range 15 {
		before := randomText(random, 5+random.IntN(60))
		after := changed(random, before) + "\n"
		one, other := filepath.Join(folder, fmt.Sprint(i, "a")), filepath.Join(folder, fmt.Sprint(i, "b"))
		for name, text := range map[string]string{one: before, other: after} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		output, _ := exec.Command(git, "diff", "--no-index", "--minimal", "--numstat", "--no-color", one, other).Output() // its exit code says that they differ
		var added, removed int
		if _, err := fmt.Sscanf(string(output), "%d %d", &added, &removed); err != nil {
			if len(output) != 0 {
				t.Fatalf("%q: %v", output, err)
			}
		}
		ours := 0
		for _, e := range compare(split(before), split(after)) {
			ours += e.oldTo - e.oldFrom + e.newTo - e.newFrom
		}
		if ours != added+removed {
			t.Errorf("%d lines are removed or added, and %d by git:\n%q\n%q", ours, added+removed, before, after)
		}
	}
}

func TestChangesAtTheEndsOfTexts(t *testing.T) {
	t.Parallel()
	show := func(lines []Line) string {
		var out []string
		for _, line := range lines {
			text := map[Kind]string{Same: "=", Added: "+", Removed: "-", Skipped: "…"}[line.Kind]
			for _, part := range line.Parts {
				if part.Changed {
					text += "[" + part.Text + "]"
				} else {
					text += part.Text
				}
			}
			out = append(out, text)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct{ before, after, want string }{
		{"", "", ""},
		{"", "a", "+[a]"},
		{"a\n", "", "-[a]"},
		{"a", "a\n", ""}, // the line end at the end says nothing
		{"a\n\n", "a\n", "=a -[]"},
		{"a\r\nb", "a\nb", ""},
		{"a\nb", "b", "-[a] =b"},
		{"b", "a\nb", "+[a] =b"},
		{"one two", "one three", "-one [two] +one [three]"},
		{"one", "two", "-[one] +[two]"},
		{"Straße 5", "Straße 6", "-Straße [5] +Straße [6]"},
		{"e\u0301t", "e\u0301u", "-[e\u0301t] +[e\u0301u]"},
		{"日本", "日本語", "-[日本] +[日本語]"}, // one word, since letters follow letters
		{"a\nb\nc\nd\ne\nf", "a\nb\nc\nd\ne\ng", "… =d =e -[f] +[g]"},
		{"x\nb\nc\nd\ne\nf\ny", "X\nb\nc\nd\ne\nf\nY", "-[x] +[X] =b =c … =e =f -[y] +[Y]"},
	} {
		if got := show(Lines(c.before, c.after)); got != c.want {
			t.Errorf("%q and %q: %s, want %s", c.before, c.after, got, c.want)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("one two\nthree", "one 2\nthree\n")
	f.Add("\r\n\x00\xff", "\n\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		a, b := 0, 0
		for _, line := range Lines(before, after) {
			switch line.Kind {
			case Same:
				a, b = a+1, b+1
			case Skipped:
				a, b = a+line.Count, b+line.Count
			case Removed:
				a++
			case Added:
				b++
			}
		}
		if a+b > 0 && (a != len(split(before)) || b != len(split(after))) {
			t.Fatalf("%d of %d lines before and %d of %d after", a, len(split(before)), b, len(split(after)))
		}
	})
}

package digest

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files and docs/states.md")

// golden compares got with a file, or writes the file under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if the change is meant, run: go test ./internal/digest -update\n%s", file, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wants), len(gots)) {
		if wants[i] != gots[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, wants[i], gots[i])
		}
	}
	return fmt.Sprintf("%d lines became %d", len(wants), len(gots))
}

func TestStatesPageIsDrawnFromTheTables(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/states.md", statesPage())
}

// statesPage returns docs/states.md, drawn from both tables.
func statesPage() string {
	var out strings.Builder
	out.WriteString(`# States

This page is drawn from the tables in ` + "`internal/digest/state.go` and `internal/digest/delivery_state.go`" + ` by
` + "`go test ./internal/digest -run States -update`" + `; a test fails when they differ. The store refuses a
change that is not listed here.

## Edition

An edition is frozen when it becomes approved: its articles, subject and variants never change after that.

`)
	draw(&out, Transitions, States)
	out.WriteString(`
## Delivery

A delivery is one edition for one subscriber. The state attempting is stored before a mail's body is sent, so after
a crash the attempting rows are exactly the mails with an unknown outcome. They become uncertain.

`)
	draw(&out, DeliveryTransitions, DeliveryStates)
	return out.String()
}

func draw[S ~string](out *strings.Builder, table []Transition[S], states []S) {
	out.WriteString("```mermaid\nstateDiagram-v2\n")
	fmt.Fprintf(out, "    [*] --> %s\n", states[0])
	for _, t := range table {
		fmt.Fprintf(out, "    %s --> %s\n", t.From, t.To)
	}
	for _, s := range states {
		if final(table, states, s) {
			fmt.Fprintf(out, "    %s --> [*]\n", s)
		}
	}
	out.WriteString("```\n\n| from | to | when |\n|---|---|---|\n")
	for _, t := range table {
		fmt.Fprintf(out, "| %s | %s | %s |\n", t.From, t.To, t.When)
	}
}

// checkTable checks that all states of a table are listed and reachable, and that no change is listed twice.
func checkTable[S ~string](t *testing.T, table []Transition[S], states []S) {
	t.Helper()
	reached := map[S]bool{states[0]: true}
	seen := map[[2]S]bool{}
	for _, step := range table {
		if !slices.Contains(states, step.From) || !slices.Contains(states, step.To) {
			t.Errorf("%s to %s: not a listed state", step.From, step.To)
		}
		if step.From == step.To || seen[[2]S{step.From, step.To}] {
			t.Errorf("%s to %s: listed twice, or from a state to itself", step.From, step.To)
		}
		if step.When == "" {
			t.Errorf("%s to %s: without a cause", step.From, step.To)
		}
		seen[[2]S{step.From, step.To}] = true
		reached[step.To] = true
	}
	for _, s := range states {
		if !reached[s] {
			t.Errorf("no change leads to %s", s)
		}
	}
}

func TestStateTablesAreComplete(t *testing.T) {
	t.Parallel()
	checkTable(t, Transitions, States)
	checkTable(t, DeliveryTransitions, DeliveryStates)
}

func TestFinalStatesAreFinal(t *testing.T) {
	t.Parallel()
	for _, s := range States {
		if want := s == Sent || s == Cancelled || s == Failed; s.Final() != want {
			t.Errorf("%s.Final() = %v", s, !want)
		}
	}
	for _, s := range DeliveryStates {
		if want := s == DeliverySent || s == DeliverySkipped; final(DeliveryTransitions, DeliveryStates, s) != want {
			t.Errorf("%s is final: %v", s, !want)
		}
	}
	if State("nonsense").Final() || State("").CanBecome(Draft) {
		t.Error("an unknown word is accepted as a state")
	}
}

func TestStatesCannotSkipApproval(t *testing.T) {
	t.Parallel()
	if Draft.CanBecome(Sending) || Draft.CanBecome(Sent) || Sent.CanBecome(Sending) || Cancelled.CanBecome(Sending) {
		t.Error("an edition can be sent without approval, or twice")
	}
	if canBecome(DeliveryTransitions, DeliverySent, DeliveryAttempting) || canBecome(DeliveryTransitions, DeliveryQueued, DeliverySent) {
		t.Error("a delivery can be sent twice, or without its intent")
	}
}

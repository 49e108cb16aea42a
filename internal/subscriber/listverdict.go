package subscriber

import (
	"fmt"
	"strings"
)

// verdict is what the columns of a line together say of a person's state: the gravest word
// counts. unclear is the first cell that was not understood.
type verdict struct {
	state   State
	unclear *LineError
}

func (v *verdict) add(s State) {
	if s.Worse(v.state) {
		v.state = s
	}
}

func (v *verdict) doubt(c *Column, value string) {
	if v.unclear != nil {
		return
	}
	what := fmt.Sprintf("column %s says %s, which is not understood", quoteShort(c.Heading), quoteShort(value))
	if value == "" {
		what = fmt.Sprintf("column %s is empty", quoteShort(c.Heading))
	}
	v.unclear = &LineError{Reason: "state not understood", What: what, Right: c.expects()}
}

// expects says what a column may hold.
func (c *Column) expects() string {
	switch c.Meaning {
	case MeansState:
		return "active, unsubscribed, bounced or another word for a state; or leave the column out by its name"
	case MeansBounceType:
		return "hard or soft; or leave the column out by its name"
	}
	return "yes, no or a date; or leave the column out by its name"
}

// cellCache keeps what the cells of columns about the state mean: lists repeat few.
type cellCache map[cellKey]judgement

type cellKey struct {
	meaning Meaning
	value   string
}

type judgement struct {
	state  State
	clear  bool
	mapped bool // by a word of another system
}

// mostCells bounds the cache; dates would fill it.
const mostCells = 1000

// judge adds what a cell says of the state.
func (l *List) judge(c *Column, value string, v *verdict) {
	key := cellKey{c.Meaning, value}
	j, known := l.cells[key]
	if !known {
		j = judgeCell(c.Meaning, value)
		if len(l.cells) < mostCells {
			l.cells[key] = j
		}
	}
	if !j.clear {
		v.doubt(c, value)
		return
	}
	v.add(j.state)
	if j.mapped {
		l.noteMapped(c, value, j.state)
	}
}

// mostMapped bounds how many different words are counted for the summary.
const mostMapped = 100

func (l *List) noteMapped(c *Column, value string, s State) {
	m := Mapped{Heading: c.Heading, Value: value, State: s}
	if _, known := l.mapped[m]; known || len(l.mapped) < mostMapped {
		l.mapped[m]++
	}
}

// judgeCell reads a cell of a column about the state.
func judgeCell(m Meaning, value string) judgement {
	if m == MeansLeftBecause {
		return judgeReason(value)
	}
	a := answerOf(value)
	if m == MeansState && a != empty || a == unclear {
		return judgeWord(m, value)
	}
	switch m {
	case MeansStays:
		switch a {
		case yes:
			return judgement{state: Active, clear: true}
		case no:
			return judgement{state: Unsubscribed, clear: true}
		}
		return judgement{} // an empty cell is no consent
	case MeansConfirmed:
		if a == no || a == empty {
			return judgement{state: Pending, clear: true}
		}
		return judgement{clear: true}
	case MeansBounceType:
		return judgement{clear: a != yes}
	}
	if a != yes {
		return judgement{clear: true}
	}
	return judgement{state: map[Meaning]State{MeansLeft: Unsubscribed, MeansBounced: Bounced, MeansComplained: Complained}[m], clear: true}
}

// judgeReason reads a cell that says why somebody left: any text is a departure.
func judgeReason(value string) judgement {
	if a := answerOf(value); a == empty || a == no {
		return judgement{clear: true}
	}
	if state := stateOf(value); state.Gone() {
		return judgement{state: state, clear: true, mapped: true}
	}
	return judgement{state: Unsubscribed, clear: true}
}

// judgeWord reads a word for a state.
func judgeWord(m Meaning, value string) judgement {
	if m == MeansBounceType {
		switch key := headingKey(value); {
		case strings.HasPrefix(key, "hard"), strings.HasPrefix(key, "permanent"):
			return judgement{state: Bounced, clear: true, mapped: true}
		case strings.HasPrefix(key, "soft"), strings.HasPrefix(key, "temporary"), strings.HasPrefix(key, "transient"):
			return judgement{clear: true}
		}
		return judgement{}
	}
	state := stateOf(value)
	if state == "" {
		return judgement{}
	}
	return judgement{state: state, clear: true, mapped: !strings.EqualFold(value, string(state))}
}

// readConsent reads how a person agreed: in words, or as yes or no.
func (l *List) readConsent(c *Column, value string, v *verdict) string {
	a, state := answerOf(value), stateOf(value)
	first, _, _ := strings.Cut(strings.ToLower(value), " ")
	switch {
	case a == no:
		v.add(Unsubscribed)
		return ""
	case a == empty:
		return ""
	case a == yes:
		return value
	case state.Gone() || state == Pending:
		v.add(state)
		l.noteMapped(c, value, state)
		return ""
	case denials[strings.Trim(first, ",.;:")]:
		v.doubt(c, value)
	}
	return value
}

// denials begin a text that says that somebody did not agree.
var denials = setOf("no, not, non, never, nein, kein, keine, nicht, pas, jamais, refus")

// overlooked refuses a word for leaving in a column that is not about the state.
func (c *Column) overlooked(value string) *LineError {
	if c.ByHand {
		return nil
	}
	if c.postal {
		if stateOf(value) == "" {
			return nil
		}
	} else if !saysGone(value) {
		return nil
	}
	return &LineError{
		Reason: "a word for leaving in another column",
		What:   fmt.Sprintf("column %s says %s, and it is not read as a state", quoteShort(c.Heading), quoteShort(value)),
		Right:  "the column read as a state, or left out by its name",
	}
}

// saysGone reports whether a cell is a plain word for leaving.
func saysGone(value string) bool {
	return mayBeIn(leavingStarts, value) && plainLeaving[headingKey(value)]
}

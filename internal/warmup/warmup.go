// Package warmup computes how many mails a new sender may send in a day: Parse reads a plan, Plan.Next
// gives the allowance of the next day, and Plan.Days estimates how long some mails take.
package warmup

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Plan is how the number of mails of a day grows. The zero Plan sets no limit.
type Plan struct {
	Start  int64   // mails of the first day
	Factor float64 // by which the allowance grows at most from one day to the next
	Max    int64   // the allowance never exceeds it; 0 for no such limit
}

const (
	maxStart  = 1_000_000
	maxFactor = 10
	// unlimited is an allowance that limits no sender any more.
	unlimited = 1 << 40
)

var planPattern = regexp.MustCompile(`^(\d{1,12})/day x(\d{1,3}(?:\.\d{1,3})?)(?: max (\d{1,12}))?$`)

// Parse reads a plan such as "500/day x2" or "500/day x1.5 max 20000". An empty text is the zero
// Plan. The error says what is wrong and how a plan is written.
func Parse(text string) (Plan, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return Plan{}, nil
	}
	m := planPattern.FindStringSubmatch(text)
	if m == nil {
		return Plan{}, fmt.Errorf(`%q is not a warm-up plan; write the mails of the first day and the factor of growth, such as "500/day x2" or "500/day x1.5 max 20000"`, text)
	}
	// The pattern admits numbers only.
	start, _ := strconv.ParseInt(m[1], 10, 64)
	factor, _ := strconv.ParseFloat(m[2], 64)
	most, _ := strconv.ParseInt("0"+m[3], 10, 64)
	switch {
	case start < 1 || start > maxStart:
		return Plan{}, fmt.Errorf("the first day has %d mails; use 1 to %d", start, maxStart)
	case factor <= 1 || factor > maxFactor:
		return Plan{}, fmt.Errorf("the factor is x%s; use one above x1 and up to x%d, such as x2", m[2], maxFactor)
	case m[3] != "" && most < start:
		return Plan{}, fmt.Errorf("the maximum %d is below the %d mails of the first day", most, start)
	}
	return Plan{start, factor, most}, nil
}

// Set reports whether the plan sets a limit.
func (p Plan) Set() bool { return p.Start > 0 }

// String returns the plan as Parse reads it; an empty text for the zero Plan.
func (p Plan) String() string {
	if !p.Set() {
		return ""
	}
	text := fmt.Sprintf("%d/day x%s", p.Start, strconv.FormatFloat(p.Factor, 'f', -1, 64))
	if p.Max > 0 {
		text += fmt.Sprintf(" max %d", p.Max)
	}
	return text
}

// Fit returns an allowance within the bounds of the plan, which may have changed since it was computed.
func (p Plan) Fit(allowance int64) int64 {
	allowance = min(max(allowance, p.Start), unlimited)
	if p.Max > 0 {
		allowance = min(allowance, p.Max)
	}
	return allowance
}

// Next returns the allowance of the day after a day with this allowance on which so many mails were
// sent. It is the factor times what was sent, but not below the former allowance: a day with few or no
// mails does not raise it, since mailbox providers compare with the mail that they have seen.
func (p Plan) Next(allowance, sent int64) int64 {
	grown := int64(math.Min(float64(min(sent, allowance))*p.Factor, unlimited))
	return p.Fit(max(allowance, grown))
}

// Days returns on how many days after today mails must still be sent, if left of them may be sent today
// and all allowances are used up.
func (p Plan) Days(allowance, left, mails int64) int {
	days := 0
	for mails -= left; mails > 0; mails -= allowance {
		allowance = p.Next(allowance, allowance)
		if days++; days == maxDays {
			break
		}
	}
	return days
}

// maxDays bounds an estimate.
const maxDays = 1000

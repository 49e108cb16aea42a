package sink

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Stage is where in the conversation a fault strikes.
type Stage string

// The stages.
const (
	AtBanner   Stage = "banner"
	AtHello    Stage = "EHLO"
	AtStartTLS Stage = "STARTTLS"
	AtAuth     Stage = "AUTH"
	AtMail     Stage = "MAIL"
	AtRcpt     Stage = "RCPT"
	AtData     Stage = "DATA"
	InBody     Stage = "body"  // when the first of the body has come
	AfterDot   Stage = "dot"   // when all of the body has come, before the reply
	AfterReply Stage = "reply" // when the reply to the body has gone out
)

// Action is what a fault does.
type Action int

// The actions.
const (
	Say  Action = iota // Reply in place of the usual answer
	Cut                // close the connection
	Hang               // say nothing more
	Slow               // do what is usual, after Wait
)

// Fault is a misbehaviour.
type Fault struct {
	At     Stage
	Do     Action
	Reply  string        // for Say, such as "451 4.7.1 try again later"; 421 closes too
	Match  string        // only when the command line has this in it
	After  int           // let so many pass first
	Times  int           // then strike so often; 0 is always
	Accept bool          // at AfterDot: the mail counts as taken all the same
	Wait   time.Duration // for Slow
}

type faultCounter struct{ met atomic.Int64 }

// faultAt returns the fault that applies now, or nil.
func (s *Server) faultAt(at Stage, line string) *Fault {
	for i := range s.opts.Faults {
		f := &s.opts.Faults[i]
		if f.At != at || f.Match != "" && !strings.Contains(line, f.Match) {
			continue
		}
		n := int(s.faults[i].met.Add(1))
		if n > f.After && (f.Times == 0 || n <= f.After+f.Times) {
			return f
		}
	}
	return nil
}

// FaultCount says how often the fault with index i has struck.
func (s *Server) FaultCount(i int) int {
	f, n := s.opts.Faults[i], int(s.faults[i].met.Load())
	n = max(n-f.After, 0)
	if f.Times > 0 {
		n = min(n, f.Times)
	}
	return n
}

// greylist counts the tries of each recipient.
type greylist struct {
	mu    sync.Mutex
	tries map[string]int
}

// refuses reports whether a recipient has not been tried often enough.
func (g *greylist) refuses(to string, limit int) bool {
	if limit == 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tries == nil {
		g.tries = map[string]int{}
	}
	g.tries[to]++
	return g.tries[to] <= limit
}

// ParseFault reads "STAGE:ACTION": the action is "cut", "hang" or the reply to
// say.
func ParseFault(text string) (Fault, error) {
	stage, action, found := strings.Cut(text, ":")
	f := Fault{At: Stage(stage)}
	switch f.At {
	case AtBanner, AtHello, AtStartTLS, AtAuth, AtMail, AtRcpt, AtData, InBody, AfterDot, AfterReply:
	default:
		return f, fmt.Errorf("fault %q: the stage is one of banner, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, body, dot, reply", text)
	}
	switch {
	case action == "cut":
		f.Do = Cut
	case action == "hang":
		f.Do = Hang
	case found && len(action) > 3 && action[0] >= '2' && action[0] <= '5':
		f.Reply = action
	default:
		return f, fmt.Errorf("fault %q: the action is cut, hang or a reply such as 451 4.7.1 later", text)
	}
	return f, nil
}

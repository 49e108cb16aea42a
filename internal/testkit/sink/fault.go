package sink

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Stage is the point of a session at which a fault occurs.
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
	InBody     Stage = "body"  // after the first bytes of the body
	AfterDot   Stage = "dot"   // after the whole body, before the reply
	AfterReply Stage = "reply" // after the reply to the body
)

// Action is what a fault does.
type Action int

// The actions.
const (
	SendReply Action = iota // send Reply in place of the usual reply
	Cut                     // close the connection
	Hang                    // send nothing more
	Slow                    // wait for Wait, then continue as usual
)

// Fault is a failure that the server simulates.
type Fault struct {
	At     Stage
	Do     Action
	Reply  string        // for SendReply, such as "451 4.7.1 try again later"; 421 also closes the connection
	Match  string        // if set, the fault applies only to command lines that contain it
	After  int           // how many commands pass before the fault applies
	Times  int           // how often the fault applies; 0 is always
	Accept bool          // at AfterDot: the mail counts as accepted although the fault applies
	Wait   time.Duration // for Slow
	Chance float64       // probability with which the fault applies where it could; 0 is always
}

// faultCounter counts the commands to which a fault could apply.
type faultCounter struct{ reached atomic.Int64 }

// faultAt returns the fault that applies now, or nil.
func (s *Server) faultAt(at Stage, line string) *Fault {
	for i := range s.opts.Faults {
		f := &s.opts.Faults[i]
		if f.At != at || f.Match != "" && !strings.Contains(line, f.Match) {
			continue
		}
		if f.Chance > 0 && rand.Float64() >= f.Chance {
			continue
		}
		n := int(s.faults[i].reached.Add(1))
		if n > f.After && (f.Times == 0 || n <= f.After+f.Times) {
			return f
		}
	}
	return nil
}

// FaultCount returns how often the fault with index i was applied.
func (s *Server) FaultCount(i int) int {
	f, n := s.opts.Faults[i], int(s.faults[i].reached.Load())
	n = max(n-f.After, 0)
	if f.Times > 0 {
		n = min(n, f.Times)
	}
	return n
}

// greylist counts the attempts per recipient.
type greylist struct {
	mu    sync.Mutex
	tries map[string]int
}

// refuses counts an attempt and reports whether it is one of the first limit attempts.
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

// ParseFault reads "STAGE:ACTION". The action is "cut", "hang" or the reply to send.
func ParseFault(text string) (Fault, error) {
	stage, action, found := strings.Cut(text, ":")
	f := Fault{At: Stage(stage)}
	switch f.At {
	case AtBanner, AtHello, AtStartTLS, AtAuth, AtMail, AtRcpt, AtData, InBody, AfterDot, AfterReply:
	default:
		return f, fmt.Errorf("fault %q: unknown stage; use one of banner, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, body, dot, reply", text)
	}
	switch {
	case action == "cut":
		f.Do = Cut
	case action == "hang":
		f.Do = Hang
	case found && len(action) > 3 && action[0] >= '2' && action[0] <= '5':
		f.Reply = action
	default:
		return f, fmt.Errorf("fault %q: unknown action; use cut, hang or a reply such as 451 4.7.1 later", text)
	}
	return f, nil
}

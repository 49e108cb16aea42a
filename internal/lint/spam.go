package lint

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/words"
)

// A spam filter's score from which an edition has a warning or an error. Both filters mark a mail
// as spam at about the score of the error in their usual settings.
const (
	warnScore  = 2
	errorScore = 5
)

// Bounds of what is read of a filter's answer, and of the time that it may take.
const (
	maxReport   = 256 << 10
	spamTimeout = 30 * time.Second
)

// Filter is a spam filter: SpamAssassin or Rspamd.
type Filter interface {
	// Score returns what the filter says of a message.
	Score(ctx context.Context, message []byte) (Score, error)
	fmt.Stringer
}

// Score is a filter's opinion of a message.
type Score struct {
	Points  float64
	Reasons []string // the rules that raised it, the most important first
}

// CheckSpam asks a filter about each variant. A filter that does not answer gives a warning.
func CheckSpam(ctx context.Context, f Filter, e Edition) []Finding {
	c := newChecker(e)
	for i := range c.Variants {
		v := &c.Variants[i]
		score, err := f.Score(ctx, v.Message)
		at := where{variant: v.Key}
		switch {
		case err != nil:
			c.add("spam-unchecked", where{}, words.T("{0} did not answer: {1}", f, err))
		case score.Points > errorScore:
			c.add("spam-high", at, score.text(f))
		case score.Points > warnScore:
			c.add("spam-raised", at, score.text(f))
		}
	}
	return c.findings
}

func (s Score) text(f Filter) words.Text {
	const most = 5
	points := fmt.Sprintf("%.1f", s.Points)
	if len(s.Reasons) == 0 {
		return words.T("{0} gives {1} points", f, points)
	}
	return words.T("{0} gives {1} points: {2}", f, points, strings.Join(s.Reasons[:min(len(s.Reasons), most)], ", "))
}

// reason is a rule of a filter with its points.
type reason struct {
	name   string
	points float64
}

// reasonsOf returns the rules that raised a score, the most important first.
func reasonsOf(all []reason) []string {
	slices.SortStableFunc(all, func(a, b reason) int { return cmp.Or(cmp.Compare(b.points, a.points), cmp.Compare(a.name, b.name)) })
	var out []string
	for _, r := range all {
		if r.points > 0 {
			out = append(out, fmt.Sprintf("%s (%.1f)", r.name, r.points))
		}
	}
	return out
}

// SpamAssassin asks a spamd at this address, a host with a port.
type SpamAssassin string

func (s SpamAssassin) String() string { return "SpamAssassin" }

// Score implements Filter with the command REPORT of spamd's protocol.
func (s SpamAssassin) Score(ctx context.Context, message []byte) (Score, error) {
	ctx, cancel := context.WithTimeout(ctx, spamTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", string(s))
	if err != nil {
		return Score{}, err
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline) // a TCP connection has deadlines
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := fmt.Fprintf(conn, "REPORT SPAMC/1.2\r\nContent-length: %d\r\n\r\n%s", len(message), message); err != nil {
		return Score{}, err
	}
	return readReport(io.LimitReader(conn, maxReport))
}

var (
	spamLine   = regexp.MustCompile(`;\s*(-?[\d.]+)\s*/`)
	reportLine = regexp.MustCompile(`(?m)^\s*(-?\d+\.?\d*)\s+([A-Z][A-Z0-9_]{2,})\b`)
)

// readReport reads spamd's answer: a status line, headers with "Spam: False ; 1.2 / 5.0", and a
// report with a line for each rule.
func readReport(from io.Reader) (Score, error) {
	r := textproto.NewReader(bufio.NewReader(from))
	status, err := r.ReadLine()
	if err != nil {
		return Score{}, err
	}
	if fields := strings.Fields(status); len(fields) < 3 || !strings.HasPrefix(status, "SPAMD/") || fields[1] != "0" {
		return Score{}, fmt.Errorf("it answers %q", excerpt(status))
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		return Score{}, err
	}
	found := spamLine.FindStringSubmatch(header.Get("Spam"))
	if found == nil {
		return Score{}, errors.New("its answer has no score")
	}
	points, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return Score{}, err
	}
	report, err := io.ReadAll(r.R)
	var reasons []reason
	for _, line := range reportLine.FindAllStringSubmatch(string(report), -1) {
		value, _ := strconv.ParseFloat(line[1], 64)
		reasons = append(reasons, reason{line[2], value})
	}
	return Score{points, reasonsOf(reasons)}, err
}

// Rspamd asks the Rspamd at this URL, such as http://localhost:11333.
type Rspamd string

func (s Rspamd) String() string { return "Rspamd" }

// Score implements Filter with Rspamd's /checkv2.
func (s Rspamd) Score(ctx context.Context, message []byte) (Score, error) {
	ctx, cancel := context.WithTimeout(ctx, spamTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(string(s), "/")+"/checkv2", bytes.NewReader(message))
	if err != nil {
		return Score{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Score{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return Score{}, fmt.Errorf("it answers %s", response.Status)
	}
	var answer struct {
		Score   *float64 `json:"score"`
		Symbols map[string]struct {
			Score float64 `json:"score"`
		} `json:"symbols"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxReport)).Decode(&answer); err != nil {
		return Score{}, err
	}
	if answer.Score == nil {
		return Score{}, errors.New("its answer has no score")
	}
	var reasons []reason
	for name, symbol := range answer.Symbols {
		reasons = append(reasons, reason{name, symbol.Score})
	}
	return Score{*answer.Score, reasonsOf(reasons)}, nil
}

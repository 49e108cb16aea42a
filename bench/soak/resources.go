package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// sample is what the long-lived node uses at one time.
type sample struct {
	heap, memory          int64 // bytes: live objects of Go after a collection, and resident memory
	goroutines, openFiles int64
	atRest                bool
}

// takeSample asks the node; false if it does not answer now.
func (s *site) takeSample(ctx context.Context) (sample, bool) {
	var out sample
	s.mu.Lock()
	pid := s.long.cmd.Process.Pid
	s.mu.Unlock()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	out.openFiles = int64(len(files))
	status, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || err2 != nil {
		return out, false
	}
	var ok [3]bool
	out.memory, ok[0] = number(string(status), `VmRSS:\s*(\d+) kB`)
	out.memory *= 1024
	out.heap, ok[1] = number(s.profile(ctx, "heap?gc=1&debug=1"), `# HeapAlloc = (\d+)`)
	out.goroutines, ok[2] = number(s.profile(ctx, "goroutine?debug=1"), `goroutine profile: total (\d+)`)
	return out, ok == [3]bool{true, true, true}
}

func number(text, pattern string) (int64, bool) {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(found[1], 10, 64)
	return n, err == nil
}

// profile returns a profile of the node as text; empty if it does not answer.
func (s *site) profile(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.metrics+"/debug/pprof/"+name, nil)
	if err != nil {
		return ""
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	data, _ := io.ReadAll(answer.Body) // a profile that is cut off has no number
	return string(data)
}

// watchResources takes samples all the time.
func (s *site) watchResources(ctx context.Context) {
	for ctx.Err() == nil {
		if one, ok := s.takeSample(ctx); ok {
			s.samples = append(s.samples, one)
		}
		sleep(ctx, min(max(s.time/100, 500*time.Millisecond), 20*time.Second))
	}
}

// sampleSettled takes samples at rest.
func (s *site) sampleSettled(ctx context.Context) {
	for range 5 {
		sleep(ctx, time.Second)
		if one, ok := s.takeSample(ctx); ok {
			one.atRest = true
			s.samples = append(s.samples, one)
		}
	}
}

// resource is one of the measured numbers, and how much it may grow.
type resource struct {
	name  string
	of    func(sample) int64
	slack int64 // beyond a third
}

const (
	heap           = "heap"
	residentMemory = "resident memory"
)

var resources = []resource{
	{heap, func(s sample) int64 { return s.heap }, 12 << 20},
	{residentMemory, func(s sample) int64 { return s.memory }, 48 << 20},
	{"goroutines", func(s sample) int64 { return s.goroutines }, 12},
	{"open files", func(s sample) int64 { return s.openFiles }, 12},
}

// usage is a resource after the warm-up, at the end of the disturbances, and at rest.
type usage struct {
	resource
	warm, late, settled int64
}

// limit returns the most that is not growth.
func (u usage) limit() int64 { return u.warm + u.warm/3 + u.slack }

// usages returns medians of the samples: of those in the middle of the disturbances, of the last fifth,
// and at rest.
func (s *site) usages() ([]usage, error) {
	var rest, busy []sample
	for _, one := range s.samples {
		if one.atRest {
			rest = append(rest, one)
		} else {
			busy = append(busy, one)
		}
	}
	n := len(busy)
	warm, late := busy[n*45/100:n*70/100], busy[n*80/100:]
	if len(warm) == 0 || len(late) == 0 || len(rest) == 0 {
		return nil, fmt.Errorf("the node answered too seldom to measure it: %d samples, and %d at rest", n, len(rest))
	}
	var out []usage
	for _, r := range resources {
		out = append(out, usage{r, r.median(warm), r.median(late), r.median(rest)})
	}
	return out, nil
}

func (r resource) median(samples []sample) int64 {
	var values []int64
	for _, one := range samples {
		values = append(values, r.of(one))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

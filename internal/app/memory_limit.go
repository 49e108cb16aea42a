package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
)

const (
	// baseHeap is the size of the heap without cached documents, in bytes.
	baseHeap = 56 << 20

	// maxGrowth and minGrowth bound GOGC: how far the heap may grow between two collections, in per
	// cent of the live heap. With Go's default of 100, a small heap is collected many times a second
	// under load, which takes a fifth of the processor time of an answer from memory.
	maxGrowth = 400
	minGrowth = 100
)

var (
	heapGoal   atomic.Int64 // bytes
	adaptsHeap sync.Once
)

// LimitMemory configures the garbage collector. A small heap may grow to five times its live size, as
// long as it stays below 56 MB and the documents in memory; a heap with more live data may grow to twice
// its size, like that of every Go program. GOGC and GOMEMLIMIT in the environment take precedence. cached
// is the most that rendered feeds and pages may take, in bytes.
//
// This is no limit as of debug.SetMemoryLimit: with one, a node whose live data came near to it was
// collected without a pause, which took up to half of its processor time.
func LimitMemory(cached int64) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	heapGoal.Store(baseHeap + cached*5/4)
	adaptsHeap.Do(adaptGrowth)
}

// growth returns the value of GOGC for a heap of live bytes that should be collected before it has
// goal bytes.
func growth(live, goal int64) int {
	if live <= 0 {
		return maxGrowth
	}
	return int(min(max((goal-live)*100/live, minGrowth), maxGrowth))
}

// adaptGrowth sets GOGC now and after each collection.
func adaptGrowth() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	next := growth(int64(sample[0].Value.Uint64()), heapGoal.Load())
	if have := int(sample[1].Value.Uint64()); next < have*9/10 || next > have*11/10 || next == maxGrowth && have != maxGrowth {
		debug.SetGCPercent(next) // stops the program for some microseconds, so not for each small change
	}
	type collected struct{ _ [64]byte }
	runtime.AddCleanup(new(collected), func(struct{}) { adaptGrowth() }, struct{}{})
}

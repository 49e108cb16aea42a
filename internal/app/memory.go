package app

import (
	"os"
	"runtime/debug"
)

// baseHeap is the Go heap that the service gets by with, in bytes.
const baseHeap = 56 << 20

// heapGrowth is how far the heap may grow between two collections, in per cent of what
// lives in it. Go's own 100 has a small heap collected many times a second under load, which
// takes a fifth of the processor time of an answer from memory.
const heapGrowth = 400

// LimitMemory sets when the garbage collector runs. A small heap may grow to five times what
// lives in it; near the soft limit of memory the collector runs as often as it must (a
// service that needs more gets more). GOGC and GOMEMLIMIT in the environment win. cached is
// the most that rendered feeds and pages may take, in bytes.
func LimitMemory(cached int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(baseHeap + cached*5/4)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

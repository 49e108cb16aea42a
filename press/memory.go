package press

import (
	"os"
	"runtime/debug"
)

// usualHeap is the Go heap that the service gets by with, in bytes.
const usualHeap = 56 << 20

// LimitMemory tells the collector to keep the heap near what the service needs:
// left alone, it lets the heap grow to twice what lives in it, which for a cache
// full of feeds is a waste. The limit is a soft one (a service that needs more
// gets it, and collects more often), and GOMEMLIMIT in the environment wins.
// feeds is the most that rendered feeds may take, in bytes.
func LimitMemory(feeds int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(usualHeap + feeds*5/4)
	}
}

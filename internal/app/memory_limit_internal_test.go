package app

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

func TestHeapGrowsLessTheMoreOfItIsLive(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	for _, c := range []struct {
		name       string
		live, goal int64
		want       int
	}{
		{"before the first collection", 0, 56 * mb, maxGrowth},
		{"small", 5 * mb, 56 * mb, maxGrowth},
		{"at a fifth of the goal", 11 * mb, 55 * mb, 400},
		{"at a quarter", 14 * mb, 56 * mb, 300},
		{"at half", 28 * mb, 56 * mb, 100},
		{"near the goal", 55 * mb, 56 * mb, minGrowth},
		{"above the goal", 300 * mb, 56 * mb, minGrowth},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := growth(c.live, c.goal); got != c.want {
				t.Errorf("it may grow by %d %%, want %d", got, c.want)
			}
		})
	}
}

// heapOf makes the test run as a program that holds so many MB.
const heapOf = "TIDINGS_TEST_HEAP"

// TestLargeHeapIsNotCollectedWithoutPause runs a program with the settings of the service.
func TestLargeHeapIsNotCollectedWithoutPause(t *testing.T) {
	if size := os.Getenv(heapOf); size != "" {
		holdHeap(t, size)
		return
	}
	t.Parallel()
	for _, megabytes := range []string{"1", "200"} {
		t.Run(megabytes+" MB", func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestLargeHeapIsNotCollectedWithoutPause$", "-test.v")
			for _, variable := range os.Environ() {
				if !strings.HasPrefix(variable, "GOGC=") && !strings.HasPrefix(variable, "GOMEMLIMIT=") {
					cmd.Env = append(cmd.Env, variable)
				}
			}
			cmd.Env = append(cmd.Env, heapOf+"="+megabytes)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

func holdHeap(t *testing.T, megabytes string) {
	var size int
	if _, err := fmt.Sscan(megabytes, &size); err != nil {
		t.Fatal(err)
	}
	LimitMemory(0)
	held := make([][]byte, size)
	for i := range held {
		held[i] = make([]byte, 1<<20)
	}
	lowest, highest := uint64(2*minGrowth), uint64(maxGrowth)
	if size > baseHeap>>20 {
		lowest, highest = minGrowth, minGrowth
	}
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
	testkit.Eventually(t, "the collector to be set", func() bool { // it is some time after a collection
		runtime.GC()
		metrics.Read(sample)
		percent := sample[0].Value.Uint64()
		return lowest <= percent && percent <= highest
	})
	if limit := sample[1].Value.Uint64(); limit < 1<<60 {
		t.Errorf("memory is limited to %d bytes", limit)
	}
	runtime.KeepAlive(held)
}

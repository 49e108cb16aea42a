package testkit

import (
	"testing"
	"time"
)

// Timeout is how long tests wait for what must happen at some time. It is long, since it only
// ends tests that hang. With the race detector, some take minutes on a busy machine.
const Timeout = 8 * time.Minute

// Eventually waits until a condition holds, and fails the test if it does not hold in
// time. what names the condition in the error.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Timeout); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", Timeout, what)
		}
	}
}

// Slow skips a test in a short run, such as that of make check.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("slow: it runs without -short, as in make test")
	}
}

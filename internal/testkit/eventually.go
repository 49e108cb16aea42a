package testkit

import (
	"testing"
	"time"
)

// longestWait only ends a test that hangs. With the race detector, SQLite needs more than
// half a minute for some steps when the machine is busy.
const longestWait = 3 * time.Minute

// Eventually waits until a condition holds that other goroutines bring about, and fails
// the test if it never does. what names the condition.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(longestWait); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for this: %s", longestWait, what)
		}
	}
}

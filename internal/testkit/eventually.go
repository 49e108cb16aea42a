package testkit

import (
	"testing"
	"time"
)

// eventuallyTimeout is long, since it only ends tests that hang. With the race detector,
// SQLite needs more than half a minute for some steps on a busy machine.
const eventuallyTimeout = 3 * time.Minute

// Eventually waits until a condition holds, and fails the test if it does not hold in
// time. what names the condition in the error.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(eventuallyTimeout); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for %s", eventuallyTimeout, what)
		}
	}
}

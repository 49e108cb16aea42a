//go:build !linux

package sqldb

// setUserTimeout leaves the time-out of silent connections to the system.
func setUserTimeout(uintptr, int) error { return nil }

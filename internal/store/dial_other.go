//go:build !linux

package store

// giveUp leaves it to the system when a silent connection ends.
func giveUp(uintptr, int) error { return nil }

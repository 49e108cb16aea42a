//go:build !race

package testkit

// RaceDetector reports whether the tests run with the race detector, which takes several
// times as long. Tests of size use smaller counts then; scripts/run-tests also runs them
// without it.
const RaceDetector = false

//go:build race

package testkit

// RaceDetector reports whether the tests run with the race detector, which makes them
// several times slower. Large tests then use smaller counts; scripts/run-tests also runs
// them without it.
const RaceDetector = true

//go:build !race

package ingest_test

// raceDetector reports whether the tests run with the race detector, which takes several
// times as long.
const raceDetector = false

//go:build race

package press_test

// raceDetector says whether the tests run with it.
const raceDetector = true

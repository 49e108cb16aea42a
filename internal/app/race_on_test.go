//go:build race

package app_test

// raceDetector says whether the tests run with it.
const raceDetector = true

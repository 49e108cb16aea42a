// Package tree holds the tests of the source tree itself: imports point only
// downwards, and files and functions stay small enough to hold in the head.
package tree

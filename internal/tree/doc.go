// Package tree tests the source tree itself: imports point downwards, files and functions stay
// small, each library has a reason, and forbidden words do not return.
package tree

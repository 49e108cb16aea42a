// Package tree tests the source tree itself: imports point downwards, files and functions stay
// small, each library has a reason, and retired words do not return.
package tree

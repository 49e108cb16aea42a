package admin

// The tests of this package sign in some hundred times; a cheap hash makes them fast.
// TestPasswordHash checks the cost of production.
func init() { newHashCost = hashCost{memory: 64, passes: 1, threads: 1} }

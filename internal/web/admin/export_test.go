package admin

// The tests of this package sign in some hundred times; a cheap hash makes them fast.
// TestPasswordHash checks the cost of production.
func init() { newHashCost = hashCost{memory: 64, passes: 1, threads: 1} }

// Routes returns the patterns of all routes with the least role of each.
func (h *Handler) Routes() map[string]string {
	out := map[string]string{}
	for _, one := range h.routes() {
		out[one.pattern] = string(one.role)
	}
	return out
}

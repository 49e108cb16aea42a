package admin

import "github.com/tidings-press/tidings/internal/store"

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

// AccountLimit and CodeLimit are the limits of wrong passwords for an account from everywhere, and of
// wrong codes.
func AccountLimit() store.AttemptLimit {
	return store.AttemptLimit{Key: "account", Burst: attemptsPerAccount, Every: accountInterval}
}

func CodeLimit() store.AttemptLimit {
	return store.AttemptLimit{Key: "code", Burst: attemptsPerCodes, Every: retryInterval}
}

// UploadsAtOnce is how many small images an editor may upload without a pause.
const UploadsAtOnce = uploadsAtOnce

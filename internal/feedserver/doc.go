// Package feedserver serves feeds over HTTP. A Server renders each document once per change
// of its articles, compresses it once per content coding, and serves the bytes from memory.
// New makes a Server, whose ServeHTTP answers requests; Write exports the same bytes as files.
//
// Freshness: a Server asks its source for changes at most every Poll (200 ms), and before the
// next request after a call of Changed. So a change on this node is in the next response, and
// a change on another node is visible after 200 ms plus the time of one query. Feeds of
// editions may be up to a second old, since the revision does not count changes of editions.
package feedserver

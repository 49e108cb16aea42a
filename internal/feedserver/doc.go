// Package feedserver answers feed readers over HTTP. A Server renders each document
// once per change of its articles, compresses it once per coding, and serves the
// bytes from memory; New makes one, and Write gives the same bytes as files.
//
// How fresh a document is: a Server asks its source for the revision at most every
// Poll (200 ms), and before the next request when Changed was called. So a change on
// this node is in the next response, and one on another node within 200 ms and
// the time of that question. Feeds of editions, which the revision does not count,
// are up to a second old.
package feedserver

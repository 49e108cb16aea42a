// Package websub notifies hubs of changed feeds (WebSub, W3C Recommendation of 2018).
// A Publisher reads changes from the store and notifies the configured hubs of the changed
// feeds. A Hub is the built-in hub: it verifies subscribers and sends them the new content,
// signed.
//
// Every request to another server is a job in the store, which any node may run, and which is
// retried with growing delays. Worker runs the jobs.
package websub

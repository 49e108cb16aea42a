// Package websub notifies hubs of changed feeds (WebSub, W3C Recommendation of 2018).
// A Publisher reads changes from the store and tells the configured hubs which feeds
// changed. A Hub is a hub of our own: it verifies subscribers and sends them the new
// content, signed.
//
// Every request to another server is a job of the store first: it is retried with
// growing delays, by whichever node is free. Worker runs the jobs.
package websub

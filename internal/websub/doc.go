// Package websub tells the world of changed feeds at once (WebSub, W3C
// Recommendation of 2018). A Publisher watches the articles and lets the configured
// hubs know which feeds changed; a Hub is a hub of our own, which verifies
// subscribers and sends them the new content, signed.
//
// All that leaves the machine is a job first: kept in the store, retried with
// growing delays, done by whichever node is free. Worker does the jobs.
package websub

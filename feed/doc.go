// Package feed makes feed documents: RSS 2.0, Atom 1.0 and JSON Feed 1.1 of the
// same selection, with the same items, order and ids, and OPML of all feeds.
//
// Prepare cleans a Selection once; RSS, Atom and JSON render what it returns. The
// same selection gives the same bytes on every node and after every restart.
// Package serve beside it is the HTTP handler that keeps the bytes; package
// websub tells hubs of changes.
package feed

// Package feed makes feed documents: RSS 2.0, Atom 1.0 and JSON Feed 1.1 of the
// same selection, with the same items, order and ids, and OPML of all feeds.
//
// Prepare cleans a Selection once; RSS, Atom and JSON render the result. The same selection
// gives the same bytes on every node and after every restart. Package internal/feedserver
// serves the documents over HTTP; package internal/websub notifies hubs of changes.
package feed

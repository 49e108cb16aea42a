// Package rendercache keeps rendered documents (feeds and pages) in memory and answers
// HTTP requests with them. A Document is rendered once, compressed once per content
// coding, and sent with headers that were made in advance. A Cache holds documents up to
// a number of bytes; Cache.Answer sends one.
//
// The package does not know when a document is out of date. Its callers do: they mark
// documents as stale, or compare the data that a document was rendered from.
package rendercache

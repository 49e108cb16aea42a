// Package rendercache keeps rendered documents (feeds and pages) in memory and answers
// HTTP requests with them. A Document is rendered once, compressed once per content
// coding, and sent with headers that were made in advance. A Cache holds documents up to
// a number of bytes; Cache.Answer sends one.
//
// The package does not know when a document is out of date. Its users do: they mark
// documents as stale, or compare what a document was made of.
package rendercache

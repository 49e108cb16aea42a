// Package store keeps everything that Tidings knows, in SQLite for one machine or
// in PostgreSQL for any number of them. Open is its door; the methods of Store
// are grouped by resource, one file each.
//
// Both engines run the same SQL: the named queries under queries/ with $n
// placeholders. Times are Unix milliseconds, so that they compare the same
// everywhere; the zero time is 0.
package store

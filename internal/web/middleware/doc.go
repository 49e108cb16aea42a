// Package middleware stands before all pages: it finds the client's address, numbers
// and logs requests without the private tokens in their addresses, sets headers
// that browsers protect readers by, bounds what is read, and limits how often one
// client may try. Wrap is its door; Limiter is for the handlers that need one.
package middleware

// Package testkit starts the real programs that tests run against: PostgreSQL,
// mail servers, a browser. What is missing on the machine skips the test loudly.
package testkit

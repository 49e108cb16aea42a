// Package testkit starts the real programs that tests run against: SharedPostgres,
// StartInbox and StartSMTPServer, StartPostfix, StartBrowser. A test whose program is not installed is
// skipped with a message that says how to install it.
package testkit

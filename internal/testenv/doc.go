// Package testenv starts real servers for tests: SMTP servers that behave and
// misbehave, and a temporary PostgreSQL.
package testenv

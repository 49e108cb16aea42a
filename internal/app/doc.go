// Package app puts the rooms together: the service that serve, worker and demo
// share.
package app

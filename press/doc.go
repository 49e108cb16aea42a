// Package press puts the rooms together: the service that serve, worker and demo
// share.
package press

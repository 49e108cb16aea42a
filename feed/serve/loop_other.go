//go:build !linux

package serve

// loop is only on Linux; elsewhere each connection has a goroutine.
type loop struct{ over bool }

func (l *Lane) startLoops() bool { return false }

func (r *loop) post(func()) {}
func (r *loop) close()      {}
func (r *loop) leaveDoor()  {}
func (r *loop) cut()        {}

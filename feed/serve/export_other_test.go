//go:build !linux

package serve

func (r *loop) begun() int { return 0 }

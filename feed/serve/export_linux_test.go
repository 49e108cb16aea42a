package serve

// begun is how many connections have sent a part of a request.
func (r *loop) begun() int {
	n := make(chan int)
	r.post(func() {
		begun := 0
		for _, c := range r.conns {
			if c.begun {
				begun++
			}
		}
		n <- begun
	})
	return <-n
}

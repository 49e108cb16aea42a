package serve

import "time"

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

// Age has all connections' time run out by so much, as if it had passed.
func (l *Lane) Age(by time.Duration) {
	for _, r := range l.loops {
		done := make(chan struct{})
		r.post(func() {
			for _, c := range r.conns {
				c.deadline = c.deadline.Add(-by)
			}
			r.swept = time.Time{}
			r.sweep()
			close(done)
		})
		<-done
	}
}

package connlimit

import (
	"net"
	"sync"
	"time"
)

// maxLifetime is how long a connection of Wrap may last, even if it is active.
const maxLifetime = 15 * time.Minute

// Wrap returns a listener that counts and limits the connections that inner accepts, for
// servers without http.Server's ConnState, such as SMTP. A connection is idle until it has
// sent something, and again after it has sent nothing for Options.IdleAfter.
func (l *Limiter) Wrap(inner net.Listener) net.Listener {
	return trackingListener{l.Listener(inner), l}
}

type trackingListener struct {
	net.Listener
	limiter *Limiter
}

// Accept implements net.Listener.
func (w trackingListener) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &trackedConn{Conn: conn, limiter: w.limiter}
	c.idleTimer = time.AfterFunc(w.limiter.options.IdleAfter, func() { w.limiter.markIdle(conn) })
	c.idleTimer.Stop()
	c.lifetime = time.AfterFunc(maxLifetime, func() { conn.Close() })
	return c, nil
}

// trackedConn is a connection that reports to the limiter when it is used and closed.
type trackedConn struct {
	net.Conn
	limiter   *Limiter
	idleTimer *time.Timer
	lifetime  *time.Timer
	once      sync.Once
}

// Read implements net.Conn.
func (c *trackedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.limiter.markActive(c.Conn)
		c.idleTimer.Reset(c.limiter.options.IdleAfter)
	}
	return n, err
}

// Close implements net.Conn.
func (c *trackedConn) Close() error {
	c.once.Do(func() {
		c.idleTimer.Stop()
		c.lifetime.Stop()
		c.limiter.remove(c.Conn)
	})
	return c.Conn.Close()
}

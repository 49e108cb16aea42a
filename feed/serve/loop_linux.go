package serve

import (
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// loop answers the requests of many connections on one thread. A goroutine for each
// connection costs two rounds of the scheduler for each request, and lets as many
// threads run as there are processors: then clients on the same machine wait for
// whole time slices. One processor is left to them, and to the store and the mails.
//
// All but post is called on the loop's own goroutine.
type loop struct {
	lane   *Lane
	epoll  int
	door   syscall.RawConn // the listener
	doorFd int32           // its descriptor while new connections are waited for; -1 while not
	wake   int             // an eventfd that says that there are tasks
	over   bool

	conns map[int32]*loopConn // by descriptor
	now   time.Time           // when the events came that are worked on
	swept time.Time           // when the deadlines were looked at
	paper []byte              // that heads are written on

	mu    sync.Mutex
	tasks []func() // of others, to be run by the loop
	ended bool
}

// startLoops gives a lane its loops, and reports whether there are any: they are for
// listeners of TCP alone.
func (l *Lane) startLoops() bool {
	tcp, ok := l.Listener.(*net.TCPListener)
	if !ok {
		return false
	}
	door, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	for range max(1, runtime.GOMAXPROCS(0)-1) {
		r, err := newLoop(l, door)
		if err != nil {
			break // out of descriptors: fewer will do
		}
		l.loops = append(l.loops, r)
	}
	for _, r := range l.loops {
		r.post(r.open)
		go r.run()
	}
	return len(l.loops) > 0
}

func newLoop(l *Lane, door syscall.RawConn) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)})
		if err != nil {
			unix.Close(wake)
		}
	}
	if err != nil {
		unix.Close(epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	return &loop{lane: l, door: door, doorFd: -1, epoll: epoll, wake: wake, conns: map[int32]*loopConn{}, now: time.Now(), swept: time.Now()}, nil
}

// run works until the lane is closed and its last connection has left.
func (r *loop) run() {
	defer r.end()
	var events [128]unix.EpollEvent
	for !r.over {
		// Interrupted, which is all that can go wrong, is as good as no events.
		n, _ := unix.EpollWait(r.epoll, events[:], r.patience())
		r.now = time.Now()
		for _, event := range events[:max(n, 0)] {
			switch event.Fd {
			case int32(r.wake):
				r.work()
			case r.doorFd:
				r.accept()
			default:
				// One that was closed since is not there, or is a new one, which then
				// finds nothing to do.
				if c := r.conns[event.Fd]; c != nil {
					r.guard(c, r.turn)
				}
			}
		}
		r.sweep()
		runtime.Gosched()
	}
}

// end lets go of the loop's descriptors.
func (r *loop) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.tasks = true, nil
	unix.Close(r.wake)
	unix.Close(r.epoll)
}

// post has the loop run a task.
func (r *loop) post(task func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.tasks = append(r.tasks, task)
	// It can fail when the counter is full only, and then the loop is awake.
	_, _ = unix.Write(r.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// work runs what was posted.
func (r *loop) work() {
	var count [8]byte
	_, _ = unix.Read(r.wake, count[:])
	r.mu.Lock()
	tasks := r.tasks
	r.tasks = nil
	r.mu.Unlock()
	for _, task := range tasks {
		task()
	}
}

// sweepEvery is how exact deadlines are, and while the lane closes.
const (
	sweepEvery   = time.Second
	sweepClosing = 100 * time.Millisecond
)

func (r *loop) sweepEvery() time.Duration {
	if r.lane.closing() {
		return sweepClosing
	}
	return sweepEvery
}

// patience is how long to wait for events, in milliseconds.
func (r *loop) patience() int {
	if len(r.conns) == 0 && r.doorFd >= 0 {
		return -1
	}
	return int(r.sweepEvery().Milliseconds())
}

// sweep drops the connections whose time is up.
func (r *loop) sweep() {
	if r.now.Sub(r.swept) < r.sweepEvery() {
		return
	}
	r.swept = r.now
	if r.doorFd < 0 {
		r.open()
	}
	for _, c := range r.conns {
		if c.stage != asking && r.now.After(c.deadline) {
			r.drop(c)
		}
	}
}

// close drops the idle connections when the lane closes. Who is in the middle of a
// request may finish it, but not sit there.
func (r *loop) close() {
	r.doorFd = -1
	for _, c := range r.conns {
		if c.stage != reading {
			continue
		}
		if len(c.buffer) == 0 {
			r.drop(c)
			continue
		}
		c.deadline = r.now.Add(lastHead)
	}
}

// cut drops all connections.
func (r *loop) cut() {
	for _, c := range r.conns {
		if c.stage == asking {
			c.unwanted = true
			continue
		}
		r.drop(c)
	}
}

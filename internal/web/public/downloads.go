package public

import (
	"context"
	"sync"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/cpulimit"
)

// maxDownloads bounds the bytes of the files that are being downloaded, each counted once. A file
// stays in memory until its slowest client has it, which may take hours.
const maxDownloads = 256 << 20

// downloads holds the files that are being downloaded, so that all clients of a file share its bytes.
type downloads struct {
	mu    sync.Mutex
	files map[string]*download
	bytes int
}

type download struct {
	medium article.Medium
	users  int
}

// openMedium returns a stored file. Only reading it counts against the limit of processor time, since a slow client
// must not keep pages from being rendered. done must be called when the client has the file. The
// error is cpulimit.ErrBusy if too many bytes are being downloaded.
func (p *Pages) openMedium(ctx context.Context, name string) (m article.Medium, done func(), err error) {
	d := &p.downloads
	if m, ok := d.join(name); ok {
		return m, func() { d.leave(name) }, nil
	}
	if busy := p.cpuLimiter.Render(ctx, cpulimit.Cacheable, func() { m, err = p.store.Medium(ctx, name) }); busy != nil {
		return m, nil, busy
	}
	if err != nil {
		return m, nil, err
	}
	if !d.add(&m) {
		return m, nil, cpulimit.ErrBusy
	}
	return m, func() { d.leave(name) }, nil
}

// join counts one more client of a file, if it is being downloaded.
func (d *downloads) join(name string) (article.Medium, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return article.Medium{}, false
	}
	f.users++
	return f.medium, true
}

// add counts a client of a file that was read. It returns false if it would be too much.
func (d *downloads) add(m *article.Medium) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[m.Name]; f != nil { // another request was faster
		f.users++
		*m = f.medium
		return true
	}
	if d.bytes > 0 && d.bytes+len(m.Data) > maxDownloads {
		return false
	}
	if d.files == nil {
		d.files = map[string]*download{}
	}
	d.files[m.Name] = &download{*m, 1}
	d.bytes += len(m.Data)
	return true
}

// leave removes a client of a file, and the file after the last one.
func (d *downloads) leave(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f.users--; f.users == 0 {
		d.bytes -= len(f.medium.Data)
		delete(d.files, name)
	}
}

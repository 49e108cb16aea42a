//go:build unix

package journal

import (
	"errors"
	"os"
	"syscall"
)

// Appenders hold the lock shared while they write, who replaces the file holds it
// alone.
func lockShared(file *os.File) error    { return flock(file, syscall.LOCK_SH) }
func lockExclusive(file *os.File) error { return flock(file, syscall.LOCK_EX) }
func unlock(file *os.File)              { _ = flock(file, syscall.LOCK_UN) }

func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

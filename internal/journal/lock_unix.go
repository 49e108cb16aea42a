//go:build unix

package journal

import (
	"errors"
	"os"
	"syscall"
)

// Appends hold the shared lock; replacing the file takes the exclusive lock.
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

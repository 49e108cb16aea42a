//go:build linux || darwin || freebsd

package health

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes this user may still write on the disk of a folder.
func freeSpace(folder string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // the types differ between systems
}

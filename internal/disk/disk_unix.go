//go:build linux || darwin || freebsd

package disk

import "golang.org/x/sys/unix"

// FreeSpace returns how many bytes this user may still write on the disk of a folder.
func FreeSpace(folder string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // the types differ between systems
}

// OpenFiles returns how many files and connections this process may have open.
func OpenFiles() (int64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	if uint64(limit.Cur) > 1<<40 { //nolint:unconvert // no limit
		return 1 << 40, nil
	}
	return int64(limit.Cur), nil
}

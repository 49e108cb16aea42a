// Package disk reads facts about the disks of this machine and about its limits: FreeSpace returns the
// free space of a folder's disk, FileSystem the kind of its file system, OpenFiles the limit of open files.
package disk

// volatile and remote list the kinds of file systems on which a database can be lost.
var (
	volatile = map[string]bool{"tmpfs": true, "ramfs": true, "overlay": true}
	remote   = map[string]bool{"nfs": true, "cifs": true, "smb": true, "fuse": true, "9p": true, "ceph": true, "afs": true}
)

// Volatile reports whether files on a kind of file system are lost when the machine or the container
// stops.
func Volatile(kind string) bool { return volatile[kind] }

// Remote reports whether a kind of file system is on another machine, or a program stands before it, so
// that locks and flushed writes may not work as on a local disk.
func Remote(kind string) bool { return remote[kind] }

//go:build !linux

package disk

// FileSystem returns "": the kind of a file system is not known on this system.
func FileSystem(string) (string, error) { return "", nil }

package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age"
)

// ErrExists reports that the file of a new archive exists already.
var ErrExists = errors.New("the file exists already, and a backup is never written over")

// Create creates the archive file at a path with the content that write produces. The file
// gets its name only after it is complete, synced to disk and verified. Only its owner may
// read it, since it contains addresses and keys. It is encrypted if there are recipients. Create
// never overwrites a file: the error is then of the kind ErrExists.
func Create(path string, write func(w io.Writer) error, recipients ...Recipient) (summary Summary, err error) {
	if _, err := os.Lstat(path); err == nil {
		return Summary{}, fmt.Errorf("%s: %w", path, ErrExists)
	}
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, "."+filepath.Base(path)+".partial-*") // mode 0600
	if err != nil {
		return Summary{}, err
	}
	defer func() {
		_ = file.Close()
		if removed := os.Remove(file.Name()); err == nil && removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = removed
		}
	}()
	keys, err := encrypt(file, write, recipients)
	if err != nil {
		return Summary{}, err
	}
	if err := file.Sync(); err != nil {
		return Summary{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Summary{}, err
	}
	if summary, err = Verify(file, keys...); err != nil {
		return summary, fmt.Errorf("what was written cannot be read back: %w", err)
	}
	if err := linkOrRename(file.Name(), path); err != nil {
		return summary, err
	}
	return summary, SyncFolder(folder)
}

// encrypt writes what write produces, encrypted if there are recipients. It returns the key with
// which the file can be read back.
func encrypt(w io.Writer, write func(w io.Writer) error, recipients []Recipient) ([]Identity, error) {
	if len(recipients) == 0 {
		return nil, write(w)
	}
	own, key, err := temporaryKey(recipients)
	if err != nil {
		return nil, err
	}
	out, err := age.Encrypt(w, append(slices.Clone(recipients), own)...)
	if err != nil {
		return nil, err
	}
	if err := write(out); err != nil {
		return nil, err
	}
	return []Identity{key}, out.Close()
}

// linkOrRename gives the temporary file its final name. Where the file system has links, it
// does not overwrite a file that was created meanwhile.
func linkOrRename(temporary, path string) error {
	err := os.Link(temporary, path)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	// Some file systems do not support links.
	return os.Rename(temporary, path)
}

// SyncFolder syncs a folder to disk, so that new and renamed files survive a power cut.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

// Check verifies an archive file and returns a summary of its content. Errors name the file.
func Check(path string, keys ...Identity) (Summary, error) {
	file, err := os.Open(path)
	if err != nil {
		return Summary{}, err
	}
	defer file.Close()
	summary, err := Verify(file, keys...)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return summary, err
}

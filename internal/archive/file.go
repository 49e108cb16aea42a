package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists is returned when the file of a new archive is there already.
var ErrExists = errors.New("the file exists already, and a backup is never written over")

// Create makes the archive file at a path with what write puts into it. The file
// appears under its name only when it is whole, on disk and read back without a
// fault; only its owner may read it, since it holds addresses and keys. A file that
// exists is left alone: the error is of the kind ErrExists.
func Create(path string, write func(w io.Writer) error) (summary Summary, err error) {
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
	if err := write(file); err != nil {
		return Summary{}, err
	}
	if err := file.Sync(); err != nil {
		return Summary{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Summary{}, err
	}
	if summary, err = Verify(file); err != nil {
		return summary, fmt.Errorf("what was written cannot be read back: %w", err)
	}
	if err := place(file.Name(), path); err != nil {
		return summary, err
	}
	return summary, SyncFolder(folder)
}

// place gives a file its name unless one of that name has come up meanwhile.
func place(temporary, path string) error {
	err := os.Link(temporary, path)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	// Some file systems have no links.
	return os.Rename(temporary, path)
}

// SyncFolder makes the names in a folder survive a power cut.
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

// Check reads a whole archive file and checks it. Errors name the file.
func Check(path string) (Summary, error) {
	file, err := os.Open(path)
	if err != nil {
		return Summary{}, err
	}
	defer file.Close()
	summary, err := Verify(file)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return summary, err
}

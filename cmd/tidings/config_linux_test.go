package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

func TestConfigurationOfPackagesIsUsedInFolderThatMayNotBeSearched(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	closed := filepath.Join(folder, "closed")
	local, system := filepath.Join(closed, "config.yaml"), filepath.Join(folder, "system.yaml")
	if err := os.Mkdir(closed, 0); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		// Root may search every folder, so this thread accesses files as another user until the end of the test.
		if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
			t.Fatal(err)
		}
		runtime.LockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := syscall.Setfsuid(0); err != nil {
				t.Error(err)
			}
			runtime.UnlockOSThread()
		})
	}
	if _, err := os.Stat(local); !errors.Is(err, os.ErrPermission) {
		t.Fatalf("the folder can be searched: %v", err)
	}
	if got := defaultConfig(local, system); got != local {
		t.Errorf("without a file of a package: %s, want %s", got, local)
	}
	createAsRoot(t, system)
	if got := defaultConfig(local, system); got != system {
		t.Errorf("with a file of a package: %s, want %s", got, system)
	}
}

// createAsRoot creates an empty file on another thread, which has the rights of the process.
func createAsRoot(t *testing.T, path string) {
	t.Helper()
	done := make(chan error)
	go func() { done <- os.WriteFile(path, nil, 0o600) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

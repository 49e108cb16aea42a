package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestEveryCommandHasManualPage(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "man1")
	root := newRoot(&cli{})
	if _, err := writeManual(root, folder); err != nil {
		t.Fatal(err)
	}
	eachCommand(root, func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		page, err := os.ReadFile(filepath.Join(folder, name+".1"))
		if err != nil || !strings.Contains(string(page), c.Short) {
			t.Errorf("the manual page of %s (%v) lacks %q", c.CommandPath(), err, c.Short)
		}
	})
}

func TestConfigurationOfPackagesIsUsedWithoutLocalOne(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	local, system := filepath.Join(folder, "local.yaml"), filepath.Join(folder, "etc", "config.yaml")
	if got := defaultConfig(local, system); got != local {
		t.Errorf("without any file: %s, want %s", got, local)
	}
	for _, step := range []struct{ create, want string }{{system, system}, {local, local}} {
		if err := os.MkdirAll(filepath.Dir(step.create), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(step.create, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := defaultConfig(local, system); got != step.want {
			t.Errorf("after creating %s: %s, want %s", step.create, got, step.want)
		}
	}
}

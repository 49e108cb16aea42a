package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

// openBrowser opens a file in the user's browser.
func openBrowser(path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	var c *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		c = exec.Command("open", absolute)
	case "windows":
		c = exec.Command("rundll32", "url.dll,FileProtocolHandler", absolute)
	default:
		c = exec.Command("xdg-open", absolute)
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("no browser was found: %w; open %s by hand", err, absolute)
	}
	return c.Process.Release()
}

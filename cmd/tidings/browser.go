package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

// openBrowser shows a file in the person's browser.
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
		return fmt.Errorf("no browser was found: %w; right would be: opening %s by hand", err, absolute)
	}
	return c.Process.Release()
}

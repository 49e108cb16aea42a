package tree

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unitFile is the systemd unit of the .deb and .rpm packages.
var unitFile = filepath.Join("..", "..", "scripts", "release", "package", "tidings.service")

// analyzeUnit runs systemd-analyze on a copy of the unit whose program exists on this machine.
func analyzeUnit(t *testing.T, change func(unit string) string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	unit, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "tidings.service")
	text := change(strings.ReplaceAll(string(unit), "/usr/bin/tidings", "/bin/true"))
	if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", append(args, copied)...).CombinedOutput()
	return string(out), err
}

func TestSystemdUnitHasNoErrors(t *testing.T) {
	t.Parallel()
	out, err := analyzeUnit(t, strings.Clone, "verify", "--man=no")
	if err != nil || out != "" {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err = analyzeUnit(t, func(unit string) string { return strings.Replace(unit, "UMask=", "Umask=", 1) }, "verify", "--man=no")
	if err == nil && out == "" {
		t.Error("systemd-analyze verify accepts a unit with a misspelt key, so this test finds nothing")
	}
}

// TestSystemdUnitIsHardened requires an exposure below 2.0 on the scale of systemd-analyze, where 10 is
// a service without any restriction.
func TestSystemdUnitIsHardened(t *testing.T) {
	t.Parallel()
	args := []string{"security", "--offline=true", "--no-pager", "--threshold=19"}
	if out, err := analyzeUnit(t, strings.Clone, args...); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	open := func(unit string) string { return strings.ReplaceAll(unit, "CapabilityBoundingSet=", "#") }
	if _, err := analyzeUnit(t, open, args...); err == nil {
		t.Error("a unit with all capabilities passes too, so this test finds nothing")
	}
}

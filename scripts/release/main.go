// Command release builds what users install: archives with the binary for each system, .deb and .rpm
// packages, images for containers, a list of the components of each binary (SBOM), and checksums. It is
// a module of its own, so that the program does not depend on the libraries of packages and images.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// release is what all files of a release have in common.
type release struct {
	root    string    // folder of the program's module
	out     string    // folder of the finished files
	work    string    // folder of what is removed at the end
	version string    // semantic, without a leading v
	time    time.Time // of every file, so that two builds give the same bytes
	shared  sharedFiles
}

// target is a system that the program is built for.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

var allTargets = []target{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run() error {
	out := flag.String("out", "dist", "folder for the finished files, relative to the root of the module; emptied first")
	version := flag.String("version", "", "version, such as 1.2.3; default: the commit's tag, or one made from the commit")
	only := flag.String("targets", "", "build only these, such as linux/amd64,darwin/arm64")
	flag.Parse()
	targets, err := chooseTargets(*only)
	if err != nil {
		return err
	}
	r, err := prepare(*out, *version)
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	for _, t := range targets {
		if err := r.buildTarget(t); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	return r.writeChecksums()
}

func chooseTargets(only string) ([]target, error) {
	if only == "" {
		return allTargets, nil
	}
	var chosen []target
	for name := range strings.SplitSeq(only, ",") {
		found := false
		for _, t := range allTargets {
			if t.String() == name {
				chosen, found = append(chosen, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("unknown target %q; there are %v", name, allTargets)
		}
	}
	return chosen, nil
}

// prepare reads the version and the time from git, and empties the folder of the finished files.
func prepare(out, version string) (*release, error) {
	root, err := output(".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	r := &release{root: root, out: out, version: version}
	if !filepath.IsAbs(out) {
		r.out = filepath.Join(root, out)
	}
	if r.time, err = commitTime(root); err != nil {
		return nil, err
	}
	if r.version == "" {
		if r.version, err = commitVersion(root, r.time); err != nil {
			return nil, err
		}
	}
	if r.work, err = os.MkdirTemp("", "tidings-release-"); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(r.out); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return nil, err
	}
	fmt.Println("release: Tidings", r.version, "as of", r.time.Format(time.RFC3339))
	return r, r.collectShared()
}

// commitTime returns SOURCE_DATE_EPOCH, or the time of the commit.
func commitTime(root string) (time.Time, error) {
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		var err error
		if seconds, err = output(root, "git", "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, err
		}
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q; it is a number of seconds since 1970", seconds)
	}
	return time.Unix(n, 0).UTC(), nil
}

// commitVersion returns the version that the commit is tagged with, or one that sorts before 0.0.0
// and by the time of the commit.
func commitVersion(root string, at time.Time) (string, error) {
	changed, err := output(root, "git", "status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return "", err
	}
	version, err := output(root, "git", "describe", "--tags", "--exact-match", "--match", "v[0-9]*")
	if err == nil && changed == "" {
		return strings.TrimPrefix(version, "v"), nil
	}
	commit, err := output(root, "git", "rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "", err
	}
	version = "0.0.0-dev." + at.Format("20060102150405") + ".g" + commit
	if changed != "" {
		version += ".modified"
	}
	return version, nil
}

// output runs a program in a folder and returns the text that it prints.
func output(folder, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(failed.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

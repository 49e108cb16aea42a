package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/disk"
	"github.com/tidings-press/tidings/internal/store"
)

func checkConfig(_ context.Context, o *Options) (out []Finding) {
	if o.Config == nil {
		var problems config.Problems
		if !errors.As(o.ConfigError, &problems) {
			return one(Finding{Severity: Error, What: fmt.Sprintf("the configuration cannot be read: %v", o.ConfigError), Fix: "Name the file with --config, or create one with tidings init."})
		}
		for _, p := range problems {
			out = append(out, Finding{Severity: Error, What: place(p) + p.What, Why: "The service does not start with it.", Fix: p.Fix})
		}
		return out
	}
	for _, p := range o.Config.Warnings() {
		out = append(out, Finding{Severity: Warning, What: place(p) + p.What, Fix: p.Fix})
	}
	if len(out) == 0 {
		out = one(ok("the configuration has no mistakes"))
	}
	return out
}

// place returns where a problem is, as the beginning of a sentence.
func place(p config.Problem) string {
	at := p.File
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d", at, p.Line)
	}
	if p.Key != "" {
		at += ": " + p.Key
	}
	return at + ": "
}

// integrityBudget is how long the tables of the store are checked.
const integrityBudget = 10 * time.Second

func checkStore(ctx context.Context, o *Options) (out []Finding) {
	if o.Config == nil {
		return one(withoutConfig)
	}
	if o.Store == nil {
		return one(Finding{Severity: Error, What: fmt.Sprintf("the store cannot be opened: %v", o.StoreError), Why: "Nothing works without it.", Fix: "Check store.dsn, the permissions of the file, and that the database runs."})
	}
	if err := o.Store.Probe(ctx, "doctor"); err != nil {
		return one(Finding{Severity: Error, What: err.Error(), Why: "No outcome of a mail can be recorded, so nothing is sent.", Fix: "Check the disk and its permissions, or the database server."})
	}
	var integrity store.Integrity
	if err := integrity.Check(ctx, o.Store, integrityBudget); err != nil {
		return one(Finding{Severity: Error, What: err.Error(), Why: "Data may be lost, and more with each write.", Fix: "Stop the service and restore a backup (docs/backup.md)."})
	}
	if err := o.Store.CheckSchema(ctx); err != nil {
		out = append(out, Finding{Severity: Error, What: err.Error(), Fix: "Use one version of the program everywhere."})
	}
	size, err := o.Store.Size(ctx)
	if err != nil {
		return append(out, Finding{Severity: Error, What: err.Error()})
	}
	out = append(out, ok("the store (%s) can be written to, is intact, and has %s", o.Store.Engine(), megabytes(size)))
	return append(out, durability(o)...)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

// folders returns the folders of the store and of its journal, if they are files. The journal's folder is
// created with its first record; until then it is the nearest folder above.
func folders(o *Options) map[string]string {
	all := map[string]string{}
	for what, folder := range map[string]string{"store": o.Store.Folder(), "journal": o.Config.Store.JournalFolder()} {
		if folder == "" {
			continue
		}
		for folder != filepath.Dir(folder) {
			if _, err := os.Stat(folder); err == nil {
				break
			}
			folder = filepath.Dir(folder)
		}
		all[what] = folder
	}
	return all
}

// durability returns the findings about the file systems of the store and its journal.
func durability(o *Options) (out []Finding) {
	for what, folder := range folders(o) {
		kind, err := disk.FileSystem(folder)
		switch {
		case err != nil:
			out = append(out, Finding{Severity: Warning, What: fmt.Sprintf("the file system of the %s cannot be read: %v", what, err)})
		case disk.Volatile(kind):
			out = append(out, Finding{Severity: Warning, What: fmt.Sprintf("the %s is in %s, on %s", what, folder, kind), Why: "Such files are lost when the machine or the container stops, and with them subscribers and what was sent.", Fix: "Keep it on a disk, or in a volume of the container."})
		case disk.Remote(kind):
			out = append(out, Finding{Severity: Warning, What: fmt.Sprintf("the %s is in %s, on %s", what, folder, kind), Why: "SQLite needs locks and flushed writes that such file systems do not guarantee; the database can be damaged.", Fix: "Use a local disk, or PostgreSQL."})
		}
	}
	slices.SortFunc(out, func(a, b Finding) int { return strings.Compare(a.What, b.What) })
	return out
}

func checkClock(ctx context.Context, o *Options) []Finding {
	if o.Store == nil {
		return one(withoutStore)
	}
	offset, err := o.Store.ClockOffset(ctx)
	if err != nil {
		return one(Finding{Severity: Error, What: err.Error()})
	}
	offset = offset.Round(time.Millisecond)
	f := Finding{
		What: fmt.Sprintf("the clock of this machine and that of the database differ by %s", offset.Abs()),
		Why:  "Schedules, leases and retries follow these clocks; with a large difference nodes take over each other's work.",
		Fix:  "Let both machines take the time from NTP, for example by systemd-timesyncd or chrony.",
	}
	switch {
	case offset.Abs() >= 5*time.Second:
		f.Severity = Error
	case offset.Abs() >= time.Second:
		f.Severity = Warning
	default:
		return one(ok("%s", f.What))
	}
	return one(f)
}

func checkTimezones(_ context.Context, o *Options) []Finding {
	if o.Config == nil {
		return one(withoutConfig)
	}
	names := []string{o.Config.Site.Timezone}
	for i := range o.Config.Digests {
		names = append(names, o.Config.Digests[i].Timezone)
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
	for _, name := range names {
		if _, err := time.LoadLocation(name); err != nil {
			return one(Finding{Severity: Error, What: fmt.Sprintf("the timezone %s is not known: %v", name, err), Why: "Digests of this timezone cannot be scheduled.", Fix: "Use a name such as Europe/Paris."})
		}
	}
	if outdatedTimezones() {
		return one(Finding{Severity: Warning, What: "the timezone data of this machine is older than 2025", Why: "Where rules for summer time have changed since, digests are sent at another hour.", Fix: "Update the package tzdata."})
	}
	return one(ok("the timezone data knows %s", strings.Join(names, ", ")))
}

// outdatedTimezones reports whether the timezone data lacks a change of January 2025: Paraguay keeps its
// summer time.
func outdatedTimezones() bool {
	zone, err := time.LoadLocation("America/Asuncion")
	if err != nil {
		return true
	}
	_, offset := time.Date(2025, 7, 1, 12, 0, 0, 0, zone).Zone()
	return offset != -3*60*60
}

// minFree is the free space below which a commit may fail.
const minFree = 4 << 20

func checkDisk(_ context.Context, o *Options) (out []Finding) {
	if o.Config == nil {
		return one(withoutConfig)
	}
	if o.Store == nil {
		return one(withoutStore)
	}
	for what, folder := range folders(o) {
		free, err := disk.FreeSpace(folder)
		f := Finding{
			What: fmt.Sprintf("%s are free on the disk of the %s", megabytes(free), what),
			Why:  "On a full disk nothing can be recorded, so nothing is sent.",
			Fix:  "Make room, or shorten the times under retention.",
		}
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			f = Finding{Severity: Notice, What: "the free space cannot be read on this system"}
		case err != nil:
			f = Finding{Severity: Error, What: fmt.Sprintf("the free space for the %s in %s cannot be read: %v", what, folder, err)}
		case free < minFree:
			f.Severity = Error
		case free < int64(o.Config.Health.DiskFree):
			f.Severity = Warning
		default:
			f = ok("%s", f.What)
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		return one(ok("the store is a database server; its disk is not checked from here"))
	}
	slices.SortFunc(out, func(a, b Finding) int { return strings.Compare(a.What, b.What) })
	return out
}

// Limits of open files: each connection and each file takes one.
const (
	fewFiles    = 256
	enoughFiles = 1024
)

func checkDescriptors(context.Context, *Options) []Finding {
	limit, err := disk.OpenFiles()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return one(Finding{Severity: Notice, What: "the limit of open files cannot be read on this system"})
	case err != nil:
		return one(Finding{Severity: Error, What: err.Error()})
	}
	return one(filesFinding(limit))
}

// filesFinding returns the finding about a limit of open files.
func filesFinding(limit int64) Finding {
	f := Finding{
		What: fmt.Sprintf("at most %d files and connections may be open at once", limit),
		Why:  "When the limit is reached, visitors, feed readers and relays are refused.",
		Fix:  "Raise it: LimitNOFILE=65536 in the systemd unit, or ulimit -n.",
	}
	switch {
	case limit < fewFiles:
		f.Severity = Error
	case limit < enoughFiles:
		f.Severity = Warning
	default:
		return ok("%s", f.What)
	}
	return f
}

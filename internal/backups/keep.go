package backups

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/config"
)

// namePattern matches the names of files that are made on schedule. No other file is ever removed.
var namePattern = regexp.MustCompile(`^tidings-(\d{8}T\d{6}Z)\.tidings(\.age)?$`)

const nameTime = "20060102T150405Z"

// fileName returns the name of a backup that is made at a time.
func fileName(at time.Time, encrypted bool) string {
	name := "tidings-" + at.UTC().Format(nameTime) + ".tidings"
	if encrypted {
		name += ".age"
	}
	return name
}

// expired returns those of the named files that may be removed. Of the newest days, weeks and
// months that have a backup, the last one of each is kept, and the newest backup always is. Names
// of other files are never returned.
func expired(names []string, keep config.BackupKeep) []string {
	type file struct {
		name string
		at   time.Time
	}
	var files []file
	for _, name := range names {
		parts := namePattern.FindStringSubmatch(name)
		if parts == nil {
			continue
		}
		if at, err := time.Parse(nameTime, parts[1]); err == nil {
			files = append(files, file{name, at})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.name, a.name)) })
	rules := []struct {
		left   int
		period func(time.Time) string
		last   string
	}{
		{left: keep.Daily, period: func(t time.Time) string { return t.Format(time.DateOnly) }},
		{left: keep.Weekly, period: func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, "-", week) }},
		{left: keep.Monthly, period: func(t time.Time) string { return t.Format("2006-01") }},
	}
	var out []string
	for i, f := range files {
		kept := i == 0
		for r := range rules {
			rule := &rules[r]
			if period := rule.period(f.at); rule.left > 0 && period != rule.last {
				rule.left, rule.last, kept = rule.left-1, period, true
			}
		}
		if !kept {
			out = append(out, f.name)
		}
	}
	return out
}

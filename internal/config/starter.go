package config

import (
	_ "embed"
	"slices"
)

//go:embed starter.yaml
var starter string

// Starter returns the file that "tidings init" writes, which is the config.yaml at the root
// of the project.
func Starter() string { return starter }

// unnamed are the titles of a site before it is named: that of the starter file, and the default.
var unnamed = []string{"The Example Press", "Tidings", ""}

// Named reports whether the site has a title of its own.
func (s Site) Named() bool { return !slices.Contains(unnamed, s.Title.String()) }

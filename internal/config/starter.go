package config

import _ "embed"

//go:embed starter.yaml
var starter string

// Starter returns the file that "tidings init" writes, which is the config.yaml at the root
// of the project.
func Starter() string { return starter }

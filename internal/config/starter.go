package config

import _ "embed"

//go:embed starter.yaml
var starter string

// Starter is the content of the file that a new publication begins with: the
// config.yaml at the root of the project.
func Starter() string { return starter }

// Package templates holds the mail templates: the built-in ones, embedded, and a
// folder that may replace them or add others. Start with Load for the set of
// them, Mail.Render for one filled mail, ParseSubject for subject lines.
//
// Content never becomes code: what is filled in is escaped for its place, and is
// never run as a template.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed all:mail phrases/*.yaml
var builtIn embed.FS

// BuiltIn is the folder of built-in templates and phrases, for those who want to
// start their own from a copy.
func BuiltIn() fs.FS { return builtIn }

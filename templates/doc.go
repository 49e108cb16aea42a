// Package templates loads and renders the mail templates: the embedded ones, and those of a folder
// that replace or extend them. Start with Load, which returns the set of templates, Mail.Render, which
// renders a mail, and ParseSubject for subject lines.
//
// Content never becomes code: values are escaped for their place and never run as a template.
package templates

import "embed"

//go:embed all:mail phrases/*.yaml
var builtIn embed.FS

package templates

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"
)

// Mail is a mail template with an HTML part and a text part.
type Mail struct {
	Name    string
	html    *template.Template
	text    *texttemplate.Template
	lifted  []string // conditional comments of the HTML part
	fileOf  func(name string) string
	subject bool // the text part defines the subject
}

// Rendered is a rendered mail.
type Rendered struct {
	Subject string // of notices only; the subject of a digest has its own template
	HTML    string // with styles inlined
	Text    string
}

// MaxStyle is the maximum size of style elements in bytes. Gmail drops larger ones.
const MaxStyle = 16 << 10

// Render renders the template with a Digest or a Notice and inlines its styles for mail programs.
func (m *Mail) Render(data any) (Rendered, error) {
	var out Rendered
	var err error
	if out.Subject, err = m.subjectLine(data); err != nil {
		return Rendered{}, err
	}
	if notice, ok := data.(Notice); ok && notice.Subject == "" {
		notice.Subject = out.Subject // for the page's title
		data = notice
	}
	page, err := m.fill(data)
	if err != nil {
		return Rendered{}, err
	}
	if page, err = inline(page); err != nil {
		return Rendered{}, &Error{File: m.file(".html"), What: err.Error()}
	}
	out.HTML = restoreConditionals(page, m.lifted)
	out.Text, err = m.Text(data)
	return out, err
}

// HTML renders the HTML part without inlining its styles, for browsers.
func (m *Mail) HTML(data any) (string, error) {
	page, err := m.fill(data)
	return restoreConditionals(page, m.lifted), err
}

func (m *Mail) fill(data any) (string, error) {
	var out bytes.Buffer
	if err := m.html.Execute(&out, data); err != nil {
		return "", explainTemplateError(err, m.fileOf, m.file(".html"))
	}
	return out.String(), nil
}

// Text renders the text part, without trailing spaces and without repeated blank lines.
func (m *Mail) Text(data any) (string, error) {
	var out bytes.Buffer
	if err := m.text.Execute(&out, data); err != nil {
		return "", explainTemplateError(err, m.fileOf, m.file(".txt"))
	}
	return normalizeBlankLines(out.String()), nil
}

func (m *Mail) subjectLine(data any) (string, error) {
	if !m.subject {
		return "", nil
	}
	var out bytes.Buffer
	if err := m.text.ExecuteTemplate(&out, "subject", data); err != nil {
		return "", explainTemplateError(err, m.fileOf, m.file(".txt"))
	}
	return HeaderLine(out.String()), nil
}

// file returns the path of the mail's HTML or text file.
func (m *Mail) file(suffix string) string { return m.fileOf(m.Name + suffix) }

// normalizeBlankLines removes trailing spaces and repeated blank lines.
func normalizeBlankLines(text string) string {
	var out strings.Builder
	blank := true // so that blank lines at the start are dropped
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" && blank {
			continue
		}
		blank = line == ""
		out.WriteString(line)
		out.WriteByte('\n')
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// parseMail parses a mail's two files together with the shared parts.
func parseMail(name string, files fileSet) (*Mail, error) {
	m := &Mail{Name: name, fileOf: files.path}
	if err := m.parseHTML(name+".html", files); err != nil {
		return nil, err
	}
	if err := m.parseText(name+".txt", files); err != nil {
		return nil, err
	}
	m.subject = m.text.Lookup("subject") != nil
	return m, nil
}

func (m *Mail) parseHTML(name string, files fileSet) error {
	m.html = template.New(name).Option("missingkey=error").Funcs(template.FuncMap{"conditional": conditionalPlaceholder, "excerpt": excerpt})
	for _, part := range append(files.parts(".html"), name) {
		source, err := liftConditionals(files.path(part), files.source(part), &m.lifted)
		if err != nil {
			return err
		}
		t := m.html
		if part != name {
			t = t.New(part)
		}
		if _, err := t.Parse(source); err != nil {
			return explainTemplateError(err, files.path, files.path(part))
		}
	}
	return nil
}

func (m *Mail) parseText(name string, files fileSet) error {
	m.text = texttemplate.New(name).Option("missingkey=error").Funcs(textFuncs)
	for _, part := range append(files.parts(".txt"), name) {
		t := m.text
		if part != name {
			t = t.New(part)
		}
		if _, err := t.Parse(files.source(part)); err != nil {
			return explainTemplateError(err, files.path, files.path(part))
		}
	}
	return nil
}

// errUnknownMail returns the error about an unknown mail, which lists the known ones.
func errUnknownMail(name string, names []string) error {
	return fmt.Errorf("no mail template %q; there are: %s", name, strings.Join(names, ", "))
}

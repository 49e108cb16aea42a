package templates

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxSubjectTemplate is the maximum size of a subject template in bytes.
const maxSubjectTemplate = 2000

// Subject is the template of a subject line. It may print the fields of a Digest, use if and with, and
// call the functions in subjectAllowed. It cannot loop, so its time and its output are bounded.
type Subject struct {
	tmpl *template.Template
}

// subjectFuncs are the functions of subject lines in addition to those of text/template.
var subjectFuncs = template.FuncMap{
	"cut":   func(width int, text string) string { return Truncate(text, width) },
	"upper": strings.ToUpper,
	"lower": strings.ToLower,
}

// subjectAllowed are all functions that subject lines may call.
var subjectAllowed = map[string]bool{
	"cut": true, "upper": true, "lower": true,
	"and": true, "or": true, "not": true, "len": true, "index": true,
	"eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
}

// ParseSubject parses a subject template and checks it by rendering sample data.
func ParseSubject(text string) (*Subject, error) {
	if len(text) > maxSubjectTemplate {
		return nil, fmt.Errorf("subject template has %d bytes; use at most %d", len(text), maxSubjectTemplate)
	}
	tmpl, err := template.New("subject").Option("missingkey=error").Funcs(subjectFuncs).Parse(text)
	if err != nil {
		return nil, subjectError(err)
	}
	if len(tmpl.Templates()) > 1 || tmpl.Tree == nil {
		return nil, fmt.Errorf("subject template: define and block cannot be used in subject lines")
	}
	s := &Subject{tmpl: tmpl}
	if err := checkSubjectNode(tmpl.Root); err != nil {
		return nil, err
	}
	if _, err := s.Line(Sample(nil)); err != nil {
		return nil, err
	}
	return s, nil
}

// checkSubjectNode refuses syntax that subject lines must not use.
func checkSubjectNode(node parse.Node) error {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, child := range n.Nodes {
			if err := checkSubjectNode(child); err != nil {
				return err
			}
		}
		return nil
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return checkSubjectPipe(n.Pipe)
	case *parse.IfNode:
		return checkSubjectBranch(n.BranchNode)
	case *parse.WithNode:
		return checkSubjectBranch(n.BranchNode)
	}
	return fmt.Errorf("subject template: %s cannot be used in subject lines; use fields, if, else and with", node)
}

func checkSubjectBranch(n parse.BranchNode) error {
	if err := checkSubjectPipe(n.Pipe); err != nil {
		return err
	}
	if err := checkSubjectNode(n.List); err != nil {
		return err
	}
	return checkSubjectNode(n.ElseList)
}

// checkSubjectPipe checks the functions of a pipeline and of those nested in it.
func checkSubjectPipe(pipe *parse.PipeNode) error {
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			switch arg := arg.(type) {
			case *parse.IdentifierNode:
				if !subjectAllowed[arg.Ident] {
					return fmt.Errorf("subject template: function %q cannot be used in subject lines; use cut, upper, lower, and, or, not, len, index, eq, ne, lt, le, gt or ge", arg.Ident)
				}
			case *parse.PipeNode:
				if err := checkSubjectPipe(arg); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Line renders the template. The result has at most MaxSubject characters and no control characters,
// so that it cannot inject a header.
func (s *Subject) Line(data Digest) (string, error) {
	var out bytes.Buffer
	if err := s.tmpl.Execute(&out, data); err != nil {
		return "", subjectError(err)
	}
	line := HeaderLine(out.String())
	if line == "" {
		return "", fmt.Errorf("subject template: the line is empty; use something such as {{.Digest.Title}}")
	}
	return line, nil
}

func subjectError(err error) error {
	e, ok := explainTemplateError(err, func(string) string { return "subject template" }, "subject template").(*Error)
	if ok {
		e.Line = 0
	}
	return e
}

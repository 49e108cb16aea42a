package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// LinkPlaceholders are the words that may stand in braces in link parameters.
var LinkPlaceholders = []string{"digest", "number", "date", "section"}

// maxLinkParameters bounds the length of link parameters in bytes. Each link of a mail has them.
const maxLinkParameters = 500

// LinkParameter is one parameter to add to links. Name and Value are not encoded and may contain
// placeholders such as {digest}.
type LinkParameter struct {
	Name, Value string
}

// ParseLinkParameters parses a pattern of parameters, such as "utm_source=news&utm_campaign={digest}".
// It returns an error for a parameter without a name or a value, and for an unknown placeholder.
func ParseLinkParameters(pattern string) ([]LinkParameter, error) {
	if len(pattern) > maxLinkParameters {
		return nil, fmt.Errorf("it is longer than %d bytes", maxLinkParameters)
	}
	if strings.HasPrefix(pattern, "?") {
		return nil, fmt.Errorf("it begins with a question mark")
	}
	var out []LinkParameter
	for part := range strings.SplitSeq(pattern, "&") {
		if pattern == "" {
			break
		}
		name, value, _ := strings.Cut(part, "=")
		if name == "" || value == "" {
			return nil, fmt.Errorf("%q is not a name and a value", part)
		}
		parameter, err := decodeLinkParameter(name, value)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(p LinkParameter) bool { return p.Name == parameter.Name }) {
			return nil, fmt.Errorf("the parameter %s is there twice", parameter.Name)
		}
		out = append(out, parameter)
	}
	return out, nil
}

func decodeLinkParameter(name, value string) (LinkParameter, error) {
	out := LinkParameter{Name: name, Value: value}
	for _, text := range []*string{&out.Name, &out.Value} {
		decoded, err := url.QueryUnescape(*text)
		if err != nil {
			return out, fmt.Errorf("%q: %w", *text, err)
		}
		if err := checkLinkPlaceholders(decoded); err != nil {
			return out, err
		}
		*text = decoded
	}
	return out, nil
}

func checkLinkPlaceholders(text string) error {
	for {
		_, after, found := strings.Cut(text, "{")
		if !found {
			return nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !slices.Contains(LinkPlaceholders, name) {
			return fmt.Errorf("unknown placeholder {%s}; the placeholders are {%s}", name, strings.Join(LinkPlaceholders, "}, {"))
		}
		text = rest
	}
}

// maxSections bounds the sections of a digest.
const maxSections = 50

// arrangement checks how a digest arranges its articles.
func (c *checker) arrangement(key string, d *Digest) {
	c.oneOf(key+".order", d.Order, "newest", "oldest", "weight")
	c.form(key+".form", d.Form)
	if d.GroupBy != "" {
		c.oneOf(key+".group_by", d.GroupBy, "source")
	}
	if d.GroupBy != "" && len(d.Sections) > 0 {
		c.wrong(key+".group_by", "there are sections too", "remove one of the two")
	}
	if len(d.Sections) > maxSections {
		c.wrong(key+".sections", fmt.Sprintf("there are %d", len(d.Sections)), fmt.Sprintf("use at most %d", maxSections))
		return
	}
	used, rest := map[string]string{}, ""
	for i := range d.Sections {
		at := fmt.Sprintf("%s.sections[%d]", key, i)
		c.section(at, &d.Sections[i], used)
		if !d.Sections[i].SelectsRest() {
			continue
		}
		if rest != "" {
			c.wrong(at, "it selects all other articles, and so does "+rest, "give one of them a tag or a filter")
		}
		rest = at
	}
	_, err := ParseLinkParameters(d.LinkParameters)
	c.failed(key+".link_parameters", err, "write it like utm_source=news&utm_campaign={digest}-{number}")
	for i, host := range d.LinkHosts {
		if parsed, err := url.Parse("https://" + host); err != nil || host == "" || parsed.Host != host {
			c.wrong(fmt.Sprintf("%s.link_hosts[%d]", key, i), fmt.Sprintf("%q is not a host", host), "write a host such as blog.example.org")
		}
	}
}

func (c *checker) section(key string, s *DigestSection, used map[string]string) {
	c.required(key+".title", s.Title.String(), "write the heading of the section")
	if s.Name != "" && article.Slugify(s.Name) != s.Name {
		c.wrong(key+".name", fmt.Sprintf("%q is not a name", s.Name), "use lower-case letters, digits and hyphens")
	}
	c.required(key+".name", s.Name, "write a name such as local-news")
	c.unique(key+".name", s.Name, used)
	if s.Tag != "" && s.Filter.isSet() {
		c.wrong(key+".tag", "there is a filter too", "move the tag into the filter, or remove one of the two")
	}
	if s.Tag != "" && article.TagKey(s.Tag) == "" {
		c.wrong(key+".tag", fmt.Sprintf("%q is not a tag", s.Tag), "write a tag of your articles")
	}
	c.filter(key+".filter", s.Filter)
	c.form(key+".form", s.Form)
}

func (c *checker) form(key, form string) {
	if form != "" {
		c.oneOf(key, form, "full", "summary", "title")
	}
}

// SelectsRest reports whether the section has all articles that no other section selects.
func (s *DigestSection) SelectsRest() bool { return s.Tag == "" && !s.Filter.isSet() }

// Compile returns the filter for the articles of the section.
func (s *DigestSection) Compile() (article.Filter, error) {
	if s.Tag != "" {
		return article.Filter{Expr: article.Tag{Key: article.TagKey(s.Tag)}}, nil
	}
	return s.Filter.Compile()
}

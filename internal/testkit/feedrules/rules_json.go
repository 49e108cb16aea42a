package feedrules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// rule is the rule for a key: whether it is required, and how to check its value.
type rule struct {
	required bool
	check    func(c *checker, what string, value any)
}

// The keys of JSON Feed 1.1 and their values, by jsonfeed.org/version/1.1. The key author
// of version 1 is left out, since it is deprecated.
var (
	feedKeys = map[string]rule{
		"version":       {true, exactly("https://jsonfeed.org/version/1.1")},
		"title":         {true, aText},
		"home_page_url": {true, anAddress}, // "should be considered as required" on the public web
		"feed_url":      {true, anAddress},
		"description":   {false, aText},
		"user_comment":  {false, aText},
		"next_url":      {false, anAddress},
		"icon":          {false, anAddress},
		"favicon":       {false, anAddress},
		"language":      {false, aLanguage},
		"expired":       {false, aBoolean},
		"authors":       {false, objects(authorKeys, anyKey)},
		"hubs":          {false, objects(hubKeys, nil)},
		"items":         {true, objects(itemKeys, item)},
	}
	itemKeys = map[string]rule{
		"id":             {true, aText},
		"url":            {false, anAddress},
		"external_url":   {false, anAddress},
		"title":          {false, aText},
		"content_html":   {false, aString},
		"content_text":   {false, aString},
		"summary":        {false, aText},
		"image":          {false, anAddress},
		"banner_image":   {false, anAddress},
		"date_published": {false, aDate},
		"date_modified":  {false, aDate},
		"language":       {false, aLanguage},
		"authors":        {false, objects(authorKeys, anyKey)},
		"tags":           {false, texts},
		"attachments":    {false, objects(attachmentKeys, nil)},
	}
	authorKeys     = map[string]rule{"name": {false, aText}, "url": {false, anAddress}, "avatar": {false, anAddress}}
	hubKeys        = map[string]rule{"type": {true, aText}, "url": {true, anAddress}}
	attachmentKeys = map[string]rule{
		"url":                 {true, anAddress},
		"mime_type":           {true, aMediaType},
		"title":               {false, aText},
		"size_in_bytes":       {false, aNumber},
		"duration_in_seconds": {false, aNumber},
	}
)

// json checks JSON Feed 1.1.
func (c *checker) json(data []byte) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var doc any
	if err := decoder.Decode(&doc); err != nil || decoder.More() {
		c.report("not one JSON value: %v", err)
		return
	}
	c.object("feed", doc, feedKeys)
	if doc, ok := doc.(map[string]any); ok && doc["next_url"] != nil && doc["next_url"] == doc["feed_url"] {
		c.report("next_url is feed_url")
	}
}

// object checks the keys of an object. Keys of extensions begin with an underscore and a
// letter.
func (c *checker) object(what string, value any, rules map[string]rule) {
	object, ok := value.(map[string]any)
	if !ok {
		c.report("%s is %T, want an object", what, value)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if r, known := rules[key]; known {
			r.check(c, what+" "+key, object[key])
		} else if len(key) < 2 || key[0] != '_' || !isLetter(key[1]) {
			c.report("%s has the key %q, which the specification does not define", what, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rules)) {
		if _, there := object[key]; rules[key].required && !there {
			c.report("%s has no %s", what, key)
		}
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// objects returns a check for a list of objects. each, if set, checks every object further.
func objects(rules map[string]rule, each func(c *checker, what string, object map[string]any)) func(*checker, string, any) {
	return func(c *checker, what string, value any) {
		list, ok := value.([]any)
		if !ok {
			c.report("%s is %T, want a list", what, value)
			return
		}
		for i, one := range list {
			name := fmt.Sprintf("%s[%d]", what, i)
			c.object(name, one, rules)
			if object, ok := one.(map[string]any); ok && each != nil {
				each(c, name, object)
			}
		}
	}
}

// anyKey checks that an author has at least one key.
func anyKey(c *checker, what string, object map[string]any) {
	if len(object) == 0 {
		c.report("%s has no keys", what)
	}
}

// item checks rules that concern several keys of an item.
func item(c *checker, what string, object map[string]any) {
	if id, ok := object["id"].(string); ok {
		c.id(id)
	}
	markup, isHTML := object["content_html"].(string)
	if _, isText := object["content_text"].(string); !isHTML && !isText {
		c.report("%s has neither content_html nor content_text", what)
	}
	c.jsonMarkup(what, markup)
}

// jsonMarkup checks HTML. It ignores broken UTF-8, which only validators of XML report.
func (c *checker) jsonMarkup(what, markup string) {
	nested := &checker{ids: map[string]bool{}}
	nested.markup(what, markup)
	for _, problem := range nested.problems {
		if !strings.Contains(problem, "broken UTF-8") {
			c.report("%s", problem)
		}
	}
}

func exactly(want string) func(*checker, string, any) {
	return func(c *checker, what string, value any) {
		if value != want {
			c.report("%s is %v", what, value)
		}
	}
}

func aString(c *checker, what string, value any) {
	if _, ok := value.(string); !ok {
		c.report("%s is %T, want a string", what, value)
	}
}

func aText(c *checker, what string, value any) {
	if text, ok := value.(string); !ok || strings.TrimSpace(text) == "" {
		c.report("%s is %#v, want a text", what, value)
	}
}

func texts(c *checker, what string, value any) {
	list, ok := value.([]any)
	if !ok {
		c.report("%s is %T, want a list", what, value)
	}
	for i, one := range list {
		aText(c, fmt.Sprintf("%s[%d]", what, i), one)
	}
}

func anAddress(c *checker, what string, value any) {
	if address, ok := value.(string); !ok || !webAddress.MatchString(address) {
		c.report("%s is %#v, want a web address", what, value)
	}
}

func aDate(c *checker, what string, value any) {
	date, _ := value.(string)
	if _, err := time.Parse(time.RFC3339, date); err != nil {
		c.report("%s is %#v, want a date of RFC 3339", what, value)
	}
}

func aLanguage(c *checker, what string, value any) {
	tag, _ := value.(string)
	if _, err := language.Parse(tag); tag == "" || err != nil {
		c.report("%s is %#v, want a tag of BCP 47", what, value)
	}
}

func aBoolean(c *checker, what string, value any) {
	if _, ok := value.(bool); !ok {
		c.report("%s is %T, want true or false", what, value)
	}
}

var wholeNumber = regexp.MustCompile(`^[0-9]+$`)

// aNumber checks for a whole number that is not negative. The specification allows any
// number, but feed readers store it as an integer.
func aNumber(c *checker, what string, value any) {
	if number, ok := value.(json.Number); !ok || !wholeNumber.MatchString(number.String()) {
		c.report("%s is %#v, want a whole number", what, value)
	}
}

var mediaTypes = regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$`)

func aMediaType(c *checker, what string, value any) {
	if kind, _ := value.(string); !mediaTypes.MatchString(kind) {
		c.report("%s is %#v, want a media type", what, value)
	}
}

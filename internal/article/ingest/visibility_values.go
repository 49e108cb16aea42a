package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

const (
	fixBool  = "write true or false, or remove the line to publish"
	fixDate  = "write a date such as 2026-11-23 or 2026-11-23T08:00:00+01:00"
	fixWord  = "write published, draft, scheduled, unlisted or withdrawn"
	fixBuild = "write render: and list: with always or never"
)

// readValue applies the value of a visibility key. If it does not understand the value, it
// returns how to fix it.
func (im *importer) readValue(v *visibility, k visibilityKey, value any) (fix string) {
	switch k.kind {
	case keyShows:
		return im.readShows(v, k, value)
	case keyHides:
		return readBool(v, k.status, value, true)
	case keyWord:
		return readWord(v, value)
	case keyFrom, keyUntil, keyEmbargo, keyUntilOrTrue:
		return im.readDateKey(v, k, value)
	case keyBuild:
		return readBuild(v, value)
	case keyRender, keyList:
		return readRenderOrList(v, k.kind, value)
	case keyPassword:
		if on, ok := parseBool(value); value != nil && value != "" && (!ok || on) {
			v.restrict(k.status)
		}
	case keyAddress:
		if on, ok := value.(bool); ok && !on || isWord(value, "false") {
			v.restrict(k.status)
		}
	case keyFeed:
		if on, ok := parseBool(value); ok && !on || isWord(value, "never") || isWord(value, "exclude") {
			v.restrict(k.status)
		}
	}
	return ""
}

// readShows reads published and similar keys, which hold true, false or a date.
func (im *importer) readShows(v *visibility, k visibilityKey, value any) string {
	if fix := readBool(v, k.status, value, false); fix == "" {
		return ""
	}
	if value == nil || value == "" {
		return fixBool
	}
	if im.applyDate(v, keyFrom, value) != "" {
		return fixBool + ", or a date"
	}
	return ""
}

// readBool applies the value of a key that is true or false. holds is the value that withholds.
func readBool(v *visibility, as article.Status, value any, holds bool) string {
	on, ok := parseBool(value)
	if !ok {
		return fixBool
	}
	if on == holds {
		v.restrict(as)
	}
	return ""
}

// readDateKey reads a key whose value is a date. The value may be empty, since templates of new
// articles contain dates that are not filled in.
func (im *importer) readDateKey(v *visibility, k visibilityKey, value any) string {
	until := k.kind == keyUntil || k.kind == keyUntilOrTrue
	on, isTruth := parseBool(value)
	switch {
	case value == nil, value == "":
	case until && (isWord(value, "never") || isWord(value, "none")):
	case isTruth && !on && k.kind != keyFrom:
	case isTruth && on && (k.kind == keyEmbargo || k.kind == keyUntilOrTrue):
		v.restrict(k.status)
	default:
		return im.applyDate(v, k.kind, value)
	}
	return ""
}

// applyDate applies a date. Of several dates the latest start and the earliest end count.
func (im *importer) applyDate(v *visibility, kind valueKind, value any) string {
	when, err := parseDate(value, im.options.Zone)
	if err != nil {
		return fixDate
	}
	switch kind {
	case keyFrom, keyEmbargo:
		if when.After(v.from) {
			v.from = when
		}
	default:
		if v.until.IsZero() || when.Before(v.until) {
			v.until = when
		}
	}
	return ""
}

// readWord reads a status or visibility. Of several words the strictest counts.
func readWord(v *visibility, value any) string {
	all := list(value)
	if len(all) == 0 {
		return fixWord
	}
	for _, one := range all {
		text, _ := one.(string)
		status, known := statusWords[normalKey(text)]
		if on, ok := parseBool(one); ok && !known {
			if status, known = article.Draft, true; on {
				status = article.Published
			}
		}
		switch {
		case !known:
			return fixWord
		case status == article.Scheduled:
			v.scheduled = true
		default:
			v.restrict(status)
		}
	}
	return ""
}

// readBuild reads Hugo's build options.
func readBuild(v *visibility, value any) string {
	fields, ok := value.(map[string]any)
	if !ok {
		return fixBuild
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		kind := map[string]valueKind{"render": keyRender, "list": keyList, "publishresources": keyIgnored}
		k, known := kind[normalKey(key)]
		if !known {
			return fixBuild
		}
		if k == keyIgnored {
			continue
		}
		if fix := readRenderOrList(v, k, fields[key]); fix != "" {
			return fix
		}
	}
	return ""
}

// readRenderOrList reads build.render or build.list. A page that is not rendered is a draft
// here, and a page that is not listed is unlisted.
func readRenderOrList(v *visibility, kind valueKind, value any) string {
	as := article.Unlisted
	if kind == keyRender {
		as = article.Draft
	}
	on, isTruth := parseBool(value)
	switch {
	case isWord(value, "always"), isTruth && on:
	case isWord(value, "never"), isWord(value, "local"), isWord(value, "link"), isTruth:
		v.restrict(as)
	default:
		return fixBuild
	}
	return ""
}

func isWord(value any, word string) bool {
	text, ok := value.(string)
	return ok && strings.EqualFold(strings.TrimSpace(text), word)
}

// parseBool reads true or false in the forms of YAML, TOML, JSON and what people write. ok is
// false for other values.
func parseBool(value any) (yes, ok bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case json.Number:
		value = v.String()
	case int64:
		value = fmt.Sprint(v)
	}
	text, _ := value.(string)
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "on", "1", "y", "t", "ja", "oui", "si", "sí", "sì", "sim", "tak":
		return true, true
	case "false", "no", "off", "0", "n", "f", "nein", "non", "não", "nej", "nee", "nie":
		return false, true
	}
	return false, false
}

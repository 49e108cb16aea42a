package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// podcastCategories are the categories and subcategories of Apple's directory, which other
// directories use too.
var podcastCategories = map[string][]string{
	"Arts":                    {"Books", "Design", "Fashion & Beauty", "Food", "Performing Arts", "Visual Arts"},
	"Business":                {"Careers", "Entrepreneurship", "Investing", "Management", "Marketing", "Non-Profit"},
	"Comedy":                  {"Comedy Interviews", "Improv", "Stand-Up"},
	"Education":               {"Courses", "How To", "Language Learning", "Self-Improvement"},
	"Fiction":                 {"Comedy Fiction", "Drama", "Science Fiction"},
	"Government":              nil,
	"Health & Fitness":        {"Alternative Health", "Fitness", "Medicine", "Mental Health", "Nutrition", "Sexuality"},
	"History":                 nil,
	"Kids & Family":           {"Education for Kids", "Parenting", "Pets & Animals", "Stories for Kids"},
	"Leisure":                 {"Animation & Manga", "Automotive", "Aviation", "Crafts", "Games", "Hobbies", "Home & Garden", "Video Games"},
	"Music":                   {"Music Commentary", "Music History", "Music Interviews"},
	"News":                    {"Business News", "Daily News", "Entertainment News", "News Commentary", "Politics", "Sports News", "Tech News"},
	"Religion & Spirituality": {"Buddhism", "Christianity", "Hinduism", "Islam", "Judaism", "Religion", "Spirituality"},
	"Science":                 {"Astronomy", "Chemistry", "Earth Sciences", "Life Sciences", "Mathematics", "Natural Sciences", "Nature", "Physics", "Social Sciences"},
	"Society & Culture":       {"Documentary", "Personal Journals", "Philosophy", "Places & Travel", "Relationships"},
	"Sports":                  {"Baseball", "Basketball", "Cricket", "Fantasy Sports", "Football", "Golf", "Hockey", "Rugby", "Running", "Soccer", "Swimming", "Tennis", "Volleyball", "Wilderness", "Wrestling"},
	"Technology":              nil,
	"True Crime":              nil,
	"TV & Film":               {"After Shows", "Film History", "Film Interviews", "Film Reviews", "TV Reviews"},
}

// podcastCategory checks "Category" or "Category > Subcategory". It may be empty.
func (c *checker) podcastCategory(key, value string) {
	top, part, divided := strings.Cut(value, ">")
	top, part = strings.TrimSpace(top), strings.TrimSpace(part)
	parts, known := podcastCategories[top]
	switch {
	case value == "":
	case !known:
		c.oneOf(key, top, slices.Sorted(maps.Keys(podcastCategories))...)
	case divided && !slices.Contains(parts, part):
		fix := fmt.Sprintf("use one of: %s > %s", top, strings.Join(parts, ", "+top+" > "))
		if best := nearest(part, parts); best != "" {
			fix = "did you mean " + top + " > " + best + "?"
		} else if len(parts) == 0 {
			fix = "write " + top
		}
		c.wrong(key, fmt.Sprintf("Apple's category %s has no subcategory %q", top, part), fix)
	}
}

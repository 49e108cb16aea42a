package ingest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// Front matter about podcast episodes. Themes of Hugo, Jekyll and others name the same fields
// differently, and some keep them in one mapping, podcast: or episode:.

// fileKeys are the front matter keys for the file of an episode, if there is no key enclosures.
var fileKeys = []string{"enclosure", "audio", "audio_url", "audio_file", "audiofile", "podcast_file", "podcast_url", "podcastfile", "episode_file", "media_url", "mp3", "mp3_url"}

// episodeMeta reads the fields of an episode: those of the article, and those of a mapping for it.
type episodeMeta struct {
	meta
	nested map[string]any // by key in lower case
	line   int
}

func newEpisodeMeta(m meta) episodeMeta {
	out := episodeMeta{meta: m}
	for _, key := range []string{"podcast", "episode"} {
		fields, ok := m.values[key].(map[string]any)
		if !ok {
			continue
		}
		out.nested, out.line = map[string]any{}, m.lines[key]
		for name, value := range fields {
			out.nested[strings.ToLower(name)] = value
		}
		break
	}
	return out
}

// find returns the value of the first of some keys that has one, and its line. A key is compared
// without its underscores and hyphens, and the prefixes itunes and podcast do not matter.
func (m episodeMeta) find(keys ...string) (value any, line int) {
	for _, key := range keys {
		for _, prefix := range []string{"", "itunes", "podcast"} {
			for _, e := range m.entries {
				if normalKey(e.key) == prefix+key && e.value != nil && e.value != "" {
					if _, isMapping := e.value.(map[string]any); !isMapping || key == "chapters" || key == "transcript" {
						return e.value, e.line
					}
				}
			}
		}
		for name, value := range m.nested {
			if normalKey(name) == key && value != nil && value != "" {
				return value, m.line
			}
		}
	}
	return nil, 0
}

// episodeFile returns the value for the enclosures of an article that has no key enclosures.
func (m episodeMeta) episodeFile() (value any, line int) {
	for _, key := range fileKeys {
		value, line = m.values[key], m.lines[key]
		if nested, ok := m.nested[key]; ok && value == nil {
			value, line = nested, m.line
		}
		if formats, ok := value.(map[string]any); ok && formats["url"] == nil { // audio: {mp3: …, m4a: …}
			for _, format := range []string{"mp3", "m4a", "aac", "ogg", "opus"} {
				if formats[format] != nil {
					return m.withLength(formats[format]), line
				}
			}
			continue
		}
		if _, isTruth := parseBool(value); value != nil && value != "" && !isTruth {
			return m.withLength(value), line
		}
	}
	return nil, 0
}

// withLength adds the length and duration of an episode that stand beside its file.
func (m episodeMeta) withLength(value any) any {
	if _, ok := value.(string); !ok {
		return value
	}
	fields := map[string]any{"url": value}
	if length, _ := m.find("bytes", "length", "filesize", "size", "audiosize"); length != nil {
		fields["length"] = length
	}
	if duration, _ := m.find("duration", "audioduration"); duration != nil {
		fields["duration"] = duration
	}
	return fields
}

// episode sets the fields of an episode. An article without a file is none, and its keys may mean
// something else.
func (im *importer) episode(a *article.Article, m episodeMeta) {
	if len(a.Enclosure) == 0 {
		return
	}
	e := &article.Episode{
		Number: im.episodeNumber(m, "episode", "episodenumber", "number"), Season: im.episodeNumber(m, "season", "seasonnumber"),
		Title: m.line1("episodetitle", "itunestitle"), Subtitle: m.line1("subtitle"), SeasonName: m.line1("seasonname"),
		Kind: im.episodeKind(m), Explicit: im.explicit(m), Chapters: im.chapters(m), Transcripts: im.transcripts(m), Persons: im.persons(m),
	}
	if value, _ := m.find("block"); value != nil {
		e.Block, _ = parseBool(value)
	}
	if !isEmptyEpisode(e) {
		a.Episode = e
	}
}

func isEmptyEpisode(e *article.Episode) bool {
	return e.Number == 0 && e.Season == 0 && e.Title == "" && e.Subtitle == "" && e.SeasonName == "" && e.Kind == "" && e.Explicit == nil &&
		!e.Block && e.Chapters == nil && e.Transcripts == nil && e.Persons == nil
}

// line1 returns the text of the first of some keys, in one line.
func (m episodeMeta) line1(keys ...string) string {
	value, _ := m.find(keys...)
	if value == nil {
		return ""
	}
	if _, isList := value.([]any); isList {
		return ""
	}
	return article.CleanLine(fmt.Sprint(value))
}

// maxEpisode bounds the numbers of episodes and seasons.
const maxEpisode = 1_000_000

func (im *importer) episodeNumber(m episodeMeta, keys ...string) int {
	value, line := m.find(keys...)
	if value == nil {
		return 0
	}
	text := strings.TrimLeft(strings.TrimPrefix(strings.TrimSpace(fmt.Sprint(value)), "#"), "0")
	n, err := strconv.Atoi(cmp.Or(text, "0"))
	if err != nil || n < 0 || n > maxEpisode {
		im.warn(line, fmt.Sprintf("%s: %q is not a number", keys[0], fmt.Sprint(value)), "write a whole number such as 12")
		return 0
	}
	return n
}

func (im *importer) episodeKind(m episodeMeta) article.EpisodeKind {
	value, line := m.find("episodetype")
	if value == nil {
		return ""
	}
	kind := article.EpisodeKind(strings.ToLower(strings.TrimSpace(fmt.Sprint(value))))
	switch kind {
	case article.FullEpisode, article.Trailer, article.Bonus:
		return kind
	}
	im.warn(line, fmt.Sprintf("episode_type: %q is not a type of episode", fmt.Sprint(value)), "write full, trailer or bonus")
	return ""
}

// explicit reads whether an episode is explicit. "clean" is Apple's former word for no.
func (im *importer) explicit(m episodeMeta) *bool {
	value, line := m.find("explicit")
	if value == nil {
		return nil
	}
	is, ok := parseBool(value)
	if text, _ := value.(string); !ok {
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "clean":
			is, ok = false, true
		case "explicit":
			is, ok = true, true
		}
	}
	if !ok {
		im.warn(line, fmt.Sprintf("explicit: %q is neither yes nor no", fmt.Sprint(value)), "write true or false")
		return nil
	}
	return &is
}

// chapters reads the address of a file with chapters.
func (im *importer) chapters(m episodeMeta) *article.Document {
	value, line := m.find("chapters", "chaptersurl", "chaptersfile")
	switch value.(type) {
	case nil:
		return nil
	case []any:
		im.warn(line, "chapters: a list of chapters is not read", "write the address of a JSON file with the chapters")
		return nil
	}
	d := im.episodeDocument(value, line, "chapters")
	if d != nil && (d.Type == "" || d.Type == "application/json") {
		d.Type = "application/json+chapters"
	}
	return d
}

func (im *importer) transcripts(m episodeMeta) []article.Transcript {
	value, line := m.find("transcripts", "transcript", "transcripturl", "transcriptfile")
	if _, isTruth := parseBool(value); isTruth {
		return nil
	}
	var out []article.Transcript
	for _, one := range list(value) {
		d := im.episodeDocument(one, line, "transcript")
		if d == nil || len(out) == maxNames {
			continue
		}
		t := article.Transcript{Document: *d, Captions: d.Type == "text/vtt" || d.Type == "application/srt"}
		if fields, ok := one.(map[string]any); ok {
			t.Language = field(fields, "language")
			if rel := field(fields, "rel"); rel != "" {
				t.Captions = rel == "captions"
			}
		}
		out = append(out, t)
	}
	return out
}

// transcriptTypes are the media types of transcripts by extension, as the namespace names them.
var transcriptTypes = map[string]string{".srt": "application/srt", ".vtt": "text/vtt", ".json": "application/json", ".html": "text/html", ".txt": "text/plain"}

// episodeDocument reads a file: an address, or a mapping with url and type.
func (im *importer) episodeDocument(value any, line int, key string) *article.Document {
	fields, ok := value.(map[string]any)
	if !ok {
		fields = map[string]any{"url": value}
	}
	link := field(fields, "url")
	stored := ""
	if link != "" && !strings.ContainsAny(link, " \n") {
		stored, _ = im.attach(link)
	}
	if stored == "" {
		im.warn(line, fmt.Sprintf("%s: %q is not an address", key, link), "write the address of a file")
		return nil
	}
	kind := field(fields, "type")
	for extension, name := range transcriptTypes {
		path, _, _ := strings.Cut(strings.ToLower(link), "?")
		if kind == "" && strings.HasSuffix(path, extension) {
			kind = name
		}
	}
	if kind == "" && key == "transcript" {
		kind = "text/html"
	}
	return &article.Document{URL: stored, Type: kind}
}

// persons reads the people of an episode: names, or mappings with name, role, group, url and image.
func (im *importer) persons(m episodeMeta) []article.Person {
	var out []article.Person
	for _, group := range []struct {
		role string
		keys []string
	}{{"", []string{"persons", "people", "person"}}, {"host", []string{"hosts", "host"}}, {"guest", []string{"guests", "guest"}}} {
		value, _ := m.find(group.keys...)
		for _, one := range list(value) {
			if p := im.person(one, group.role); p.Name != "" && len(out) < maxNames {
				out = append(out, p)
			}
		}
	}
	return out
}

func (im *importer) person(value any, role string) article.Person {
	fields, ok := value.(map[string]any)
	switch {
	case value == nil: // an entry that is not filled in
		return article.Person{}
	case !ok:
		return article.Person{Name: article.CleanLine(fmt.Sprint(value)), Role: role}
	}
	p := article.Person{Name: field(fields, "name"), Role: cmp.Or(field(fields, "role"), role), Group: field(fields, "group")}
	if link := cmp.Or(field(fields, "url"), field(fields, "href")); link != "" {
		p.URL = im.links.resolve(link)
	}
	if link := cmp.Or(field(fields, "image"), field(fields, "img")); link != "" {
		p.Image, _ = im.attach(link)
	}
	return p
}

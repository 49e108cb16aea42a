package ingest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestEpisodeIsReadFromTheFrontMatterOfUsualThemes(t *testing.T) {
	t.Parallel()
	const file = "https://cdn.example.org/4.mp3"
	for name, source := range map[string]string{
		"plain": "episode: 4\nseason: 2\nexplicit: true\nepisode_type: bonus\nsubtitle: Old cranes\nenclosures:\n  - {url: \"" + file + "\", length: 1000, duration: \"25:30\"}\n",
		"itunes keys": "itunes_episode: 4\nitunes_season: 2\nitunes_explicit: yes\nitunes_episode_type: Bonus\nitunes_subtitle: Old cranes\n" +
			"audio: " + file + "\nduration: \"25:30\"\nlength: 1000\n",
		"flat Hugo theme": "episode: \"04\"\nseason: 2\nexplicit: \"yes\"\nepisodeType: bonus\nsubtitle: Old cranes\npodcast_file: " + file + "\npodcast_bytes: 1000\npodcast_duration: \"00:25:30\"\n",
		"one mapping":     "podcast:\n  episode: 4\n  season: 2\n  explicit: true\n  episode_type: bonus\n  subtitle: Old cranes\n  mp3: " + file + "\n  duration: 1530\n  bytes: 1000\n",
		"files by format": "episode_number: 4\nseason: 2\nexplicit: explicit\nepisode_type: bonus\nsubtitle: Old cranes\naudio: {m4a: \"https://cdn.example.org/4.m4a\", mp3: \"" + file + "\"}\nfilesize: 1000\nduration: 1530\n",
	} {
		a := importOne(t, "a.md", "---\ntitle: Cranes\ndate: 2026-01-01\n"+source+"---\nText\n", ingest.Options{}).Article
		if len(a.Enclosure) != 1 || a.Episode == nil {
			t.Errorf("%s: %d files, episode %v", name, len(a.Enclosure), a.Episode)
			continue
		}
		f, e := a.Enclosure[0], a.Episode
		if f.URL != file || f.Type != "audio/mpeg" || f.Duration != 1530*time.Second || f.Bytes != 1000 {
			t.Errorf("%s: file %+v", name, f)
		}
		if e.Number != 4 || e.Season != 2 || e.Explicit == nil || !*e.Explicit || e.Kind != "bonus" || e.Subtitle != "Old cranes" {
			t.Errorf("%s: episode %+v", name, e)
		}
	}
}

func TestEpisodeHasChaptersTranscriptsAndPersons(t *testing.T) {
	t.Parallel()
	a := importOne(t, "a.md", `---
title: Cranes
date: 2026-01-01
enclosures: https://cdn.example.org/4.mp3
chapters: https://cdn.example.org/4.json
transcript:
  - https://cdn.example.org/4.vtt
  - {url: "https://cdn.example.org/4", language: fr}
hosts: [Ann]
guests:
  - {name: Bob, url: "https://bob.example/", image: "https://bob.example/b.png"}
explicit: clean
block: yes
---
Text
`, ingest.Options{}).Article
	got, err := json.Marshal(a.Episode)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Explicit":false,"Block":true,"Chapters":{"URL":"https://cdn.example.org/4.json","Type":"application/json+chapters"},` +
		`"Transcripts":[{"URL":"https://cdn.example.org/4.vtt","Type":"text/vtt","Captions":true},{"URL":"https://cdn.example.org/4","Type":"text/html","Language":"fr"}],` +
		`"Persons":[{"Name":"Ann","Role":"host"},{"Name":"Bob","Role":"guest","URL":"https://bob.example/","Image":"https://bob.example/b.png"}]}`
	if string(got) != want {
		t.Errorf("episode %s\nwant    %s", got, want)
	}
}

func TestUnreadableEpisodeKeysGiveWarnings(t *testing.T) {
	t.Parallel()
	const keys = "episode: four\nseason: winter\nexplicit: perhaps\nepisode_type: pilot\nchapters: [one, two]\ntranscript: \"no address\"\n"
	out := importOne(t, "a.md", "---\ntitle: A\ndate: 2026-01-01\nenclosures: [{url: \"https://cdn.example.org/4.mp3\", length: 9}]\n"+keys+"---\nText\n", ingest.Options{})
	if out.Article.Episode != nil || len(out.Warnings) != 6 {
		t.Errorf("episode %+v, %d warnings, want none and 6: %v", out.Article.Episode, len(out.Warnings), out.Warnings)
	}
	unknown := importOne(t, "a.md", "---\ntitle: A\ndate: 2026-01-01\nenclosures: https://cdn.example.org/4.mp3\n---\nText\n", ingest.Options{})
	if len(unknown.Warnings) != 1 {
		t.Errorf("a file of unknown length: warnings %v, want one", unknown.Warnings)
	}
	out = importOne(t, "a.md", "---\ntitle: A\ndate: 2026-01-01\n"+keys+"---\nText\n", ingest.Options{})
	if out.Article.Episode != nil || len(out.Warnings) != 0 {
		t.Errorf("without a file: episode %+v, warnings %v", out.Article.Episode, out.Warnings)
	}
}

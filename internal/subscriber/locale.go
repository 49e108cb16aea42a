package subscriber

import (
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// readLanguage reads a cell with a language; see ParseLanguage. An empty cell gives an empty
// tag.
func readLanguage(value string) (string, *LineError) {
	if answerOf(value) == empty {
		return "", nil
	}
	if tag, ok := ParseLanguage(value); ok {
		return tag, nil
	}
	return "", &LineError{Reason: "language not understood", What: "language " + quoteShort(value) + " is not known", Expected: "a tag such as en or pt-BR, or a name such as English"}
}

// ParseLanguage returns the BCP 47 tag of a language, and false if it is not known. It accepts
// tags in any spelling ("EN", "fr_FR") and names in English, French, German or the language
// itself ("English", "français", "English (US)").
func ParseLanguage(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 60 {
		return "", false
	}
	if tag, ok := languageNames()[languageKey(s)]; ok {
		return tag, true
	}
	if at := strings.IndexAny(s, "("); at > 0 {
		if tag, ok := languageNames()[languageKey(s[:at])]; ok {
			return tag, true
		}
	}
	s, _, _ = strings.Cut(s, ".") // en_US.UTF-8
	tag, err := language.Parse(s)
	if base, _ := tag.Base(); err != nil || base.String() == "und" || tag.IsRoot() {
		return "", false
	}
	return tag.String(), true
}

// languageKey returns the name of a language in the form in which names are compared: only
// letters and marks, in lower case.
func languageKey(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// languageNames maps names of languages, in the form of languageKey, to tags. It holds all
// languages with a two-letter code.
var languageNames = sync.OnceValue(func() map[string]string {
	out := map[string]string{
		"norwegian": "no", "norsk": "no", "norvégien": "no", "norwegisch": "no", "simplifiedchinese": "zh-Hans", "traditionalchinese": "zh-Hant",
		"brazilianportuguese": "pt-BR", "portuguêsbrasileiro": "pt-BR", "americanenglish": "en-US", "britishenglish": "en-GB", "francais": "fr", "espanol": "es", "castellano": "es",
	}
	namers := []display.Namer{display.English.Languages(), display.French.Languages(), display.German.Languages()}
	add := func(name string, tag language.Tag) {
		// Shorter names could be codes of other languages.
		if key := languageKey(name); len(key) > 3 && out[key] == "" {
			out[key] = tag.String()
		}
	}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			tag, err := language.Parse(string(a) + string(b))
			if err != nil || tag.String() != string(a)+string(b) {
				continue
			}
			for _, namer := range namers {
				add(namer.Name(tag), tag)
			}
			add(display.Self.Name(tag), tag)
		}
	}
	return out
})

// readTimezone reads a cell with a time zone; see ParseTimezone. An empty cell gives an empty
// name.
func readTimezone(value string) (string, *LineError) {
	if answerOf(value) == empty {
		return "", nil
	}
	if name, ok := ParseTimezone(value); ok {
		return name, nil
	}
	return "", &LineError{
		Reason: "time zone not understood", What: "time zone " + quoteShort(value) + " is not known",
		Expected: "a name such as Europe/Zurich, or leave the column out by its name",
	}
}

// zones caches names of time zones by their lower-case form. Only existing zones are stored,
// so that input from outside cannot fill it.
var zones sync.Map

// ParseTimezone returns the IANA name of a time zone, and false if there is none. Case does
// not matter, and spaces stand for underscores: "europe/zurich", "America/new york".
func ParseTimezone(s string) (string, bool) {
	key := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), " ", "_"))
	if name, ok := zones.Load(key); ok {
		return name.(string), true
	}
	if key == "" || key == "local" || len(key) > 40 || strings.Contains(key, ".") || strings.HasPrefix(key, "/") {
		return "", false
	}
	for _, name := range zoneSpellings(key) {
		if _, err := time.LoadLocation(name); err == nil {
			zones.Store(key, name)
			return name, true
		}
	}
	return "", false
}

// zoneSpellings returns candidates for the exact name of a zone. Candidates are needed since
// time.LoadLocation is case-sensitive and the zone database cannot be listed.
func zoneSpellings(key string) []string {
	if name, ok := irregularZones[key]; ok {
		return []string{name}
	}
	area, place, _ := strings.Cut(key, "/")
	return []string{
		capitals(key, "/_-"), capitals(key, "/_"), strings.ToUpper(key), capitals(key, "/"),
		strings.ToUpper(area) + "/" + capitals(place, "/_-"), capitals(area, "") + "/" + strings.ToUpper(place),
	}
}

// capitals capitalizes each part of a name, except for small words such as "of".
func capitals(key, separators string) string {
	first := true
	var out strings.Builder
	for i, r := range key {
		if first && !smallWord(key[i:]) {
			r = unicode.ToUpper(r)
		}
		out.WriteRune(r)
		first = strings.ContainsRune(separators, r)
	}
	return out.String()
}

// smallWord reports whether a name goes on with a word in lower case, as in Isle_of_Man.
func smallWord(rest string) bool {
	for _, word := range []string{"of_", "es_", "au-"} {
		if strings.HasPrefix(rest, word) {
			return true
		}
	}
	return false
}

// irregularZones maps the lower-case form of names that capitals cannot produce to the name.
var irregularZones = func() map[string]string {
	out := map[string]string{}
	for name := range strings.FieldsSeq(`America/Argentina/ComodRivadavia America/Knox_IN America/North_Dakota/New_Salem Antarctica/DumontDUrville Antarctica/McMurdo
		Africa/Dar_es_Salaam America/Port-au-Prince Europe/Isle_of_Man America/Port_of_Spain Asia/Ho_Chi_Minh Australia/ACT Australia/LHI Australia/NSW
		Australia/North Brazil/DeNoronha Chile/EasterIsland Mexico/BajaNorte Mexico/BajaSur GB-Eire NZ-CHAT GB NZ PRC ROC ROK UCT UTC GMT US/East-Indiana W-SU
		EST5EDT CST6CDT MST7MDT PST8PDT CET EET MET WET Etc/GMT Etc/UTC Etc/UCT Etc/GMT+0 Etc/GMT-0 Etc/GMT0`) {
		out[strings.ToLower(name)] = name
	}
	return out
}()

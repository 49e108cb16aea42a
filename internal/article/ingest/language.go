package ingest

import (
	"regexp"
	"strings"

	"github.com/abadojack/whatlanggo"
	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/article"
)

// Limits for the detection of a language, in bytes: shorter paragraphs are not reliable, and no
// more text is needed.
const (
	minParagraph = 40
	maxDetected  = 12000
)

// languageInName matches a name that ends in a language, such as index.fr: two letters, and
// perhaps a script or region.
var languageInName = regexp.MustCompile(`^(.+)\.([a-z]{2}(?:[-_](?:[A-Za-z]{2}|[A-Z][a-z]{3}))?)$`)

// cutNameLanguage splits the name of a file without extension into language and rest.
func cutNameLanguage(name string) (tag, rest string) {
	found := languageInName.FindStringSubmatch(name)
	if found == nil {
		return "", name
	}
	tag, known := normalLanguage(found[2])
	if !known {
		return "", name
	}
	return tag, found[1]
}

// normalLanguage returns a language tag in canonical form (BCP 47), such as "pt-BR", and false
// if it is not valid.
func normalLanguage(tag string) (string, bool) {
	t, err := language.Parse(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	if err != nil || t == language.Und {
		return "", false
	}
	return t.String(), true
}

// notWords matches what is in no language: addresses, numbers and names in programs.
var notWords = regexp.MustCompile(`[!-~]*[/0-9_@=<>{}#\\][!-~]*`)

// certain is the confidence from which a detected language outweighs the language that the
// configuration of a site gives to all of its articles.
const certain = 0.5

// detectLanguage detects the language of sanitized HTML, with a confidence from 0 to 1. Each
// paragraph has a vote, so that a foreign quotation or a line of code does not decide alone. It
// returns an empty string if there is too little text or no clear majority.
func detectLanguage(title, source string) (tag string, confidence float64) {
	votes := map[whatlanggo.Lang]float64{}
	total, size, longest := 0.0, 0, 0.0
	for _, p := range append(paragraphs(source, 4*maxDetected), title) {
		p = article.CleanLine(notWords.ReplaceAllString(cutText(p, maxDetected), " "))
		if len(p) < minParagraph {
			continue
		}
		if size > maxDetected {
			break
		}
		size += len(p)
		info := whatlanggo.Detect(p)
		// Longer paragraphs and more confident results have more weight.
		length := float64(min(len(p), 500))
		weight := length * max(info.Confidence, 0.05)
		longest += length
		votes[info.Lang] += weight
		total += weight
	}
	for lang, weight := range votes {
		if weight <= total*0.6 {
			continue
		}
		if lang == whatlanggo.Cmn && isTraditional(article.PlainText(source)) {
			return "zh-Hant", weight / longest
		}
		return lang.Iso6391(), weight / longest
	}
	return "", 0
}

// Frequent Chinese characters that exist in only one of the two scripts.
const (
	traditional = "這個們來時會說國對學過還麼樣點後發現開關經問題進動無當與從實體業產員書見長門馬車東義樂買賣電話語讀寫錢間應該讓給網頁內兩幾歲歷萬號單師張陳華處區務變總類顯選擇"
	simplified  = "这个们来时会说国对学过还么样点后发现开关经问题进动无当与从实体业产员书见长门马车东义乐买卖电话语读写钱间应该让给网页内两几岁历万号单师张陈华处区务变总类显选择"
)

// isTraditional reports whether a Chinese text is written in traditional characters.
func isTraditional(text string) bool {
	balance := 0
	for _, letter := range cutText(text, maxDetected) {
		old, new := strings.ContainsRune(traditional, letter), strings.ContainsRune(simplified, letter)
		switch {
		case old && !new:
			balance++
		case new && !old:
			balance--
		}
	}
	return balance > 0
}

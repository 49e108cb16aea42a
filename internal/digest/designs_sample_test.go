package digest

import (
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// designs are the built-in designs of digests.
var designs = []string{"brief", "digest", "letter", "magazine"}

// sampleWords are the words of an edition in one language.
type sampleWords struct {
	title, description, intro, outro, sponsor, role, footer string
	authors                                                 []string
	sections                                                [3]string
	articles                                                [][2]string // title and summary
	paragraph                                               string
}

var samplesByLanguage = map[string]sampleWords{
	"en": {
		title: "The Weekly", description: "What happened on the quay, and what comes in with the next tide.",
		intro: "The storm is over and the ferries sail again. This week we walked along the quay with the people who *stayed*, and asked what it takes to rebuild a harbour wall before the spring tides.",
		outro: "That is all for this week. Write to us if you saw something that we did not.", sponsor: "**Quay & Sons** make ropes that hold, by hand, since 1921. Readers get ten per cent off until Christmas.",
		role: "Editor", footer: "The Harbour Post is an independent newspaper, paid for by its readers.",
		authors: []string{"Anna Berg", "Ben Okoye", "Carla Ruiz"}, sections: [3]string{"The harbour", "Town", "In brief"},
		articles: [][2]string{
			{"The harbour after the storm", "Three days after the worst wind in forty years the boats are back on the water. The wall is not, and the town has until March to decide who pays for it."},
			{"A lighthouse keeper logs off", "Since 1987 she wrote the weather down by hand, four times a day. On Friday a sensor took over."},
			{"Why the ferry costs more than the train", "Fuel, piers and one very old contract: we read the accounts of the ferry company, so that you need not."},
			{"The bakery that opens at three in the morning", "Its first customers come from the night boats, and they like their bread dark."},
			{"Council votes on the tram line", "The line to the fish market passed by a single vote, after eleven years of talks."},
			{"School choir wins the coast cup", "Forty children, one bus and a song about herring."},
			{"Tide tables for December", "Spring tides on the 5th and the 20th; mind the lower road."},
		},
		paragraph: "On the quay the water still stands between the stones. “We counted eleven masts on Monday,” says the harbour master, “and on Tuesday we stopped counting.” The nets are dry, and the first boats went out before dawn.",
	},
	"ar": {
		title: "النشرة الأسبوعية", description: "ما جرى على الرصيف، وما يحمله المد القادم.",
		intro: "انتهت العاصفة وعادت العبّارات إلى البحر. مشينا هذا الأسبوع على الرصيف مع من *بقوا*، وسألنا كم يلزم لإعادة بناء سور الميناء قبل مد الربيع.",
		outro: "هذا كل شيء لهذا الأسبوع. اكتبوا إلينا إن رأيتم ما لم نره.", sponsor: "تصنع **Quay & Sons** حبالًا متينة باليد منذ عام 1921. لقرائنا خصم عشرة في المئة حتى نهاية العام.",
		role: "المحررة", footer: "صحيفة مستقلة يمولها قراؤها.",
		authors: []string{"ليلى منصور", "Ben Okoye", "سامي حداد"}, sections: [3]string{"الميناء", "المدينة", "باختصار"},
		articles: [][2]string{
			{"الميناء بعد العاصفة", "بعد ثلاثة أيام من أشد ريح منذ أربعين عامًا عادت القوارب إلى الماء. أما السور فلم يعد، وأمام المدينة حتى مارس لتقرر من يدفع ثمنه."},
			{"حارسة المنارة تغلق دفترها", "منذ عام 1987 كانت تكتب أحوال الطقس بيدها أربع مرات في اليوم. يوم الجمعة تولى ذلك جهاز استشعار."},
			{"لماذا العبّارة أغلى من القطار", "وقود وأرصفة وعقد قديم جدًا: قرأنا حسابات الشركة نيابة عنكم."},
			{"المخبز الذي يفتح في الثالثة فجرًا", "أول زبائنه من قوارب الليل، وهم يحبون الخبز الأسمر."},
			{"المجلس يصوت على خط الترام", "أُقر الخط إلى سوق السمك بفارق صوت واحد بعد أحد عشر عامًا."},
			{"جوقة المدرسة تفوز بكأس الساحل", "أربعون طفلًا وحافلة واحدة وأغنية عن السردين."},
			{"جدول المد لشهر ديسمبر", "أعلى مد في الخامس والعشرين من الشهر."},
		},
		paragraph: "ما زال الماء بين حجارة الرصيف. يقول مدير الميناء: «عددنا أحد عشر صاريًا يوم الاثنين، ثم توقفنا عن العد يوم الثلاثاء». جفت الشباك، وخرجت أولى القوارب قبل الفجر.",
	},
	"ja": {
		title: "週刊みなと", description: "岸壁の一週間と、次の潮が運ぶもの。",
		intro: "嵐が去り、フェリーの運航が再開しました。今週は町に*残った*人たちと岸壁を歩き、春の大潮までに防波堤を直すには何が要るのかを聞きました。",
		outro: "今週は以上です。お気づきのことがあれば、ぜひお知らせください。", sponsor: "**Quay & Sons** は1921年から手作りの丈夫なロープをお届けしています。読者の方は年末まで一割引です。",
		role: "編集長", footer: "読者に支えられる独立した新聞です。",
		authors: []string{"佐藤花子", "Ben Okoye", "鈴木一郎"}, sections: [3]string{"港", "町", "短信"},
		articles: [][2]string{
			{"嵐のあとの港", "四十年で最も強い風から三日、船は海に戻った。防波堤はまだ戻らず、費用を誰が負担するのか、町は三月までに決めなければならない。"},
			{"灯台守、最後の記録", "一九八七年から日に四度、手で天気を書き続けてきた。金曜日からはセンサーが引き継ぐ。"},
			{"フェリーはなぜ列車より高いのか", "燃料、桟橋、そしてとても古い契約。会社の決算書を読み解いた。"},
			{"午前三時に開くパン屋", "最初の客は夜の漁船から来る。好みは黒いパンだ。"},
			{"市議会、路面電車を可決", "魚市場へ延びる路線は十一年の議論の末、一票差で決まった。"},
			{"合唱団が沿岸杯で優勝", "四十人の子どもと一台のバス、そしてニシンの歌。"},
			{"十二月の潮見表", "大潮は五日と二十日。低い道にご注意を。"},
		},
		paragraph: "岸壁の石の間にはまだ水が残っている。「月曜に十一本のマストを数えた」と港長は言う。「火曜には数えるのをやめた」。網は乾き、最初の船は夜明け前に出ていった。",
	},
}

// designInput returns an edition that has everything a design can show, or nothing optional.
func designInput(design, lang, site string, everything bool) Input {
	words := samplesByLanguage[lang]
	in := Input{
		ID:         "5f0c9f3e-7d0b-4a55-9a44-0d5b1a1f2c33",
		Definition: Definition{Name: "weekly", Title: config.Text(words.title), Language: lang, Timezone: "Europe/Paris", Template: design},
		Number:     12, Site: Site{Title: "The Harbour Post", URL: site, Language: lang}, Date: testTime,
	}
	for i, text := range words.articles {
		a := article.Article{
			ID: fmt.Sprintf("a%d", i+1), Slug: fmt.Sprintf("article-%d", i+1), Title: text[0], Summary: text[1], Language: lang,
			Authors: []article.Author{{Name: words.authors[i%3]}}, Published: testTime.AddDate(0, 0, -1-i/2),
			HTML: strings.Repeat("<p>"+words.paragraph+"</p>", 1+(17*i+7)%11),
		}
		if everything && i < 6 {
			a.Image = &article.Image{URL: fmt.Sprintf("/media/scene%d.png", i), Alt: text[0], Width: 1072, Height: 600}
			a.Authors[0].Portrait = fmt.Sprintf("/media/face%d.png", i%3)
		}
		in.Articles = append(in.Articles, a)
	}
	if design == "letter" {
		in.Articles = in.Articles[:2]
		in.Articles[0].HTML = "<p>" + words.paragraph + "</p><blockquote><p>" + words.articles[3][1] + "</p></blockquote><p>" + words.paragraph + "</p>"
		in.Articles[1].HTML = "<p>" + words.articles[1][1] + "</p><ul><li>" + words.articles[4][0] + "</li><li>" + words.articles[5][0] + "</li></ul>"
	}
	if everything {
		addEverything(&in, words)
	}
	return in
}

// addEverything adds all that is optional.
func addEverything(in *Input, words sampleWords) {
	in.Definition.Description, in.Definition.Feedback, in.Definition.Reply = config.Text(words.description), true, true
	in.Next = testTime.AddDate(0, 0, 7)
	in.Site.Postal = "The Harbour Post\n1 Quay Street, Port Sample"
	in.Site.Brand = config.Brand{
		Logo:   &config.Picture{URL: "/media/logo.png", Alt: "The Harbour Post", Width: 180, Height: 36},
		Links:  []config.Link{{Name: "Mastodon", URL: "https://social.example/@post"}, {Name: "Bluesky", URL: "https://sky.example/post"}},
		Footer: config.Text(words.footer), Imprint: "/imprint",
		Person: config.Signer{
			Name: words.authors[0], Role: config.Text(words.role), Portrait: &config.Picture{URL: "/media/face0.png", Width: 56, Height: 56},
			Signature: &config.Picture{URL: "/media/signature.png", Alt: config.Text(words.authors[0]), Width: 150, Height: 50},
		},
	}
	in.Edits = Edits{
		Intro: map[string]string{"": words.intro}, Outro: map[string]string{"": words.outro},
		Sponsor: &Sponsor{Text: words.sponsor, URL: "https://ropes.example/"}, Sections: map[string]string{}, Forms: map[string]Form{},
	}
	if in.Definition.Template == "letter" {
		return
	}
	for i := range in.Articles {
		in.Edits.Sections[in.Articles[i].ID] = words.sections[min(i/3, 2)]
	}
	in.Edits.Forms["a7"] = TitleForm
}

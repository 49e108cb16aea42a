package subscriber

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// readStates reads a list and returns each local part with its state, or the line and reason
// of an error.
func readStates(t *testing.T, in string, opts ListOptions) string {
	t.Helper()
	list, err := OpenList(strings.NewReader(in), opts)
	if err != nil {
		return "stopped: " + err.Error()
	}
	var out []string
	for row, err := range list.Rows() {
		var bad *LineError
		switch {
		case errors.As(err, &bad):
			out = append(out, fmt.Sprintf("%d refused (%s)", bad.Line, bad.Reason))
		case err != nil:
			t.Fatal(err)
		default:
			name, _, _ := strings.Cut(row.Address.String(), "@")
			out = append(out, name+":"+string(row.State))
		}
	}
	return strings.Join(out, " ")
}

func TestStatesOfOtherSystemsAreMapped(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{
			"Substack", "Email,active_subscription,email_disabled,created_at\na@x.org,false,false,2020-01-01\nb@x.org,true,true,2020-01-01\n",
			"a: b:unsubscribed",
		},
		{
			"Ghost", "email,subscribed_to_emails,deleted_at\na@x.org,true,\nb@x.org,false,\nc@x.org,true,2024-02-03T04:05:06.000Z\n",
			"a:active b:unsubscribed c:unsubscribed",
		},
		{
			"Mailchimp, who left", "Email Address,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON\na@x.org,2020-07-23 12:19:27,Spring,\nb@x.org,,,I never signed up\nc@x.org,,,\n",
			"a:unsubscribed b:unsubscribed c:",
		},
		{
			"Mailchimp, cleaned", "Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID\na@x.org,2020-07-23 12:19:27,Spring,abc123\nb@x.org,,,\n",
			"a:bounced b:",
		},
		{
			"Buttondown", "email_address,subscriber_type,unsubscription_date,unsubscription_reason\na@x.org,regular,,\nb@x.org,unsubscribed,2024-01-02,\nc@x.org,unactivated,,\nd@x.org,undeliverable,,\ne@x.org,premium,,\n",
			"a:active b:unsubscribed c:pending d:bounced e:active",
		},
		{"Buttondown, of old", "email,unsubscribed\na@x.org,False\nb@x.org,True\n", "a: b:unsubscribed"},
		{
			"beehiiv", "email,status,unsubscribed_at\na@x.org,active,\nb@x.org,inactive,\nc@x.org,active,2023-05-01 10:00:00 UTC\nd@x.org,pending,\ne@x.org,validating,\n",
			"a:active b:unsubscribed c:unsubscribed d:pending e:pending",
		},
		{
			"listmonk", "uuid,email,name,attributes,status,created_at\n1,a@x.org,A,{},enabled,2020-01-01\n2,b@x.org,B,{},blocklisted,2020-01-01\n3,c@x.org,C,{},disabled,2020-01-01\n",
			"a:active b:unsubscribed c:unsubscribed",
		},
		{
			"MailerLite", "Subscriber,Subscribed,Unsubscribed,Bounced\na@x.org,2021-01-01 10:00:00,,\nb@x.org,2021-01-01 10:00:00,2022-01-01 10:00:00,\nc@x.org,2021-01-01 10:00:00,,2022-01-01 10:00:00\n",
			"a:active b:unsubscribed c:bounced",
		},
		{
			"Brevo", "EMAIL,VORNAME,emailBlacklisted,SMS_BLACKLISTED,DOUBLE_OPT-IN\na@x.org,A,false,true,Yes\nb@x.org,B,true,false,Yes\nc@x.org,C,false,false,No\n",
			"a: b:unsubscribed c:pending",
		},
		{
			"Sendy", "Name,Email,Last activity,Status\nA,a@x.org,,Active\nB,b@x.org,,Marked as spam\nC,c@x.org,,Unconfirmed\nD,d@x.org,,Bounced\n",
			"a:active b:complained c:pending d:bounced",
		},
		{
			"phpList", "email,confirmed,blacklisted,optedin,bouncecount,disabled\na@x.org,1,0,0,0,0\nb@x.org,0,0,0,0,0\nc@x.org,1,1,0,3,0\nd@x.org,1,0,1,0,1\n",
			"a: b:pending c:unsubscribed d:unsubscribed",
		},
		{"Mailman", "address,delivery status,display name\na@x.org,enabled,A\nb@x.org,by_user,B\nc@x.org,by_bounces,C\n", "a:active b:paused c:bounced"},
		{"Kit", "id,first_name,email,status\n1,A,a@x.org,active\n2,B,b@x.org,cancelled\n3,C,c@x.org,complained\n", "a:active b:unsubscribed c:complained"},
		{"Shopify", "Email,Accepts Email Marketing,Accepts SMS Marketing\na@x.org,yes,no\nb@x.org,no,yes\n", "a:active b:unsubscribed"},
		{"Klaviyo", "Email,Email Marketing Consent\na@x.org,SUBSCRIBED\nb@x.org,UNSUBSCRIBED\nc@x.org,NEVER_SUBSCRIBED\nd@x.org,\n", "a:active b:unsubscribed c:unsubscribed 5 refused (state not understood)"},
		{"HubSpot", "Email,Unsubscribed from all email,Email hard bounce reason\na@x.org,,\nb@x.org,true,\n", "a: b:unsubscribed"},
		{"Salesforce", "Email,Email Opt Out\na@x.org,0\nb@x.org,1\n", "a: b:unsubscribed"},
		{"French", "courriel;désabonné;désinscrit le;statut\na@x.org;non;;actif\nb@x.org;oui;;actif\nc@x.org;non;12/03/2024;actif\nd@x.org;non;;désinscrit\n", "a:active b:unsubscribed c:unsubscribed d:unsubscribed"},
		{"German", "E-Mail-Adresse;Abgemeldet am;Aktiv;Bestätigt\na@x.org;;ja;ja\nb@x.org;01.02.2024;ja;ja\nc@x.org;;nein;ja\nd@x.org;;ja;nein\n", "a:active b:unsubscribed c:unsubscribed d:pending"},
		{"a plain sheet", "E-mail,Do not e-mail,Bounce type\na@x.org,,\nb@x.org,x,\nc@x.org,,hard\nd@x.org,,soft\n", "a: b:unsubscribed c:bounced d:"},
		{"ticks beside those who agreed", "email,opt-in\na@x.org,x\nb@x.org,\n", "a:active 3 refused (state not understood)"},
		{"consent as yes or no", "email,consent\na@x.org,yes\nb@x.org,no\nc@x.org,asked at the fair\nd@x.org,withdrawn\ne@x.org,not given in writing\n", "a: b:unsubscribed c: d:unsubscribed 6 refused (state not understood)"},
		{"several words of state", "email,status,state\na@x.org,active,cleaned\nb@x.org,unsubscribed,active\n", "a:bounced b:unsubscribed"},
		{"zero dates", "email,unsubscribed_at,deleted_at\na@x.org,0000-00-00 00:00:00,NULL\nb@x.org,1970-01-01T00:00:00Z,-\nc@x.org,1651400000,\n", "a: b: c:unsubscribed"},
		{"a remark behind the word", "email,status\na@x.org,Unsubscribed (by admin)\nb@x.org,Active (imported)\n", "a:unsubscribed b:active"},
		{"a value that is not understood", "email,unsubscribed,status\na@x.org,perhaps,active\nb@x.org,,dormant\nc@x.org,yes,whatever\n", "2 refused (state not understood) 3 refused (state not understood) c:unsubscribed"},
		{"a number is no word", "email,status\na@x.org,1\n", "2 refused (state not understood)"},
		{"a word for a departure in another column", "email,remarks,tags\na@x.org,Unsubscribed,\nb@x.org,met in May,\"\"\"opted out\"\"\"\nc@x.org,blocks of flats,fair\n", "2 refused (a word for a departure in another column) b: c:"},
		{"a state of the postal kind", "email,city,state\na@x.org,Salem,Oregon\nb@x.org,Salem,unsubscribed\n", "a: 3 refused (a word for a departure in another column)"},
		{"a field too many", "email,name,status\na@x.org,Brook, Ada,unsubscribed\nb@x.org,Ben,active,\n", "2 refused (more fields than columns) b:active"},
		{"no header, and a state beside the address", "a@x.org,unsubscribed\nb@x.org,Ben\nc@x.org,false\nd@x.org,2024-01-02\n", "1 refused (second column is no name) b: 3 refused (second column is no name) 4 refused (second column is no name)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := readStates(t, test.in, ListOptions{}); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestUnknownConsentHeadingStopsImport(t *testing.T) {
	t.Parallel()
	for _, heading := range []string{
		"Unsub flag", "opt_status_2", "consent v2", "Subscription ends", "bounced twice", "email clean?", "blocked by", "suppression group", "disabled because",
		"deletion flag", "complained about", "spam score", "activeness", "Lead Status", "member state 2", "confirm code", "GDPR basis", "marketing segment flag",
		"permission level", "Stop status", "Cancel date", "do-not-bother", "dontSend2", "Widerruf", "Abo-Ende", "résilié", "newsletter A", "Mail ok? (accept)", "has quit", "left us", "churn reason",
	} {
		got := readStates(t, heading+",email\nyes,a@x.org\n", ListOptions{})
		if !strings.HasPrefix(got, "stopped:") || !strings.Contains(got, heading) {
			t.Errorf("%s: %s", heading, got)
		}
		if got := readStates(t, "email,"+heading+"\na@x.org,yes\n", ListOptions{Ignore: []string{strings.ToUpper(heading)}}); got != "a:" {
			t.Errorf("%s ignored: %s", heading, got)
		}
		if got := readStates(t, "email,"+heading+"\na@x.org,yes\n", ListOptions{Columns: map[string]Meaning{heading: MeansLeft}}); got != "a:unsubscribed" {
			t.Errorf("%s read as left: %s", heading, got)
		}
	}
	for _, heading := range []string{"shoe size", "Options", "Station", "Statistics", "Company", "Country", "created_at", "Notes", "LEID", "Adoption year", "Topic of talk", "Optional remarks"} {
		if got := readStates(t, heading+",email\n1,a@x.org\n", ListOptions{}); got != "a:" {
			t.Errorf("%s: %s", heading, got)
		}
	}
}

func TestUnknownColumnOptionIsError(t *testing.T) {
	t.Parallel()
	for _, opts := range []ListOptions{
		{Ignore: []string{"statsu"}}, {Columns: map[string]Meaning{"statsu": MeansState}}, {Columns: map[string]Meaning{"status": "nonsense"}},
	} {
		if got := readStates(t, "email,status\na@x.org,active\n", opts); !strings.HasPrefix(got, "stopped:") || !strings.Contains(got, "stat") {
			t.Errorf("%v: %s", opts, got)
		}
	}
	if got := readStates(t, "a@x.org,Ada\n", ListOptions{Ignore: []string{"status"}}); !strings.Contains(got, "no header") {
		t.Error(got)
	}
	if got := readStates(t, "a@x.org,Ada,active\n", ListOptions{}); !strings.Contains(got, "3 columns and no header") {
		t.Error(got)
	}
}

func TestEveryHeadingHasOneMeaning(t *testing.T) {
	t.Parallel()
	seen := map[string]Meaning{}
	for m, list := range headingLists {
		for key := range setOf(list) {
			if other, ok := seen[key]; ok && other != m {
				t.Errorf("%q means %s and %s", key, m, other)
			}
			seen[key] = m
		}
	}
	for key := range stateWords {
		if len(key) < 2 {
			t.Errorf("state word %q", key)
		}
	}
}

// utf16Of encodes a text as UTF-16, which spreadsheets write as "Unicode text".
func utf16Of(text string, big, mark bool) string {
	if mark {
		text = "\uFEFF" + text
	}
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return string(out)
}

func TestSpreadsheetFilesAreRead(t *testing.T) {
	t.Parallel()
	const want = "2 ada@example.org [Ada Ünal] de\n"
	for name, in := range map[string]string{
		"CR alone":                  "email,name,language\rada@example.org,Ada Ünal,de\r",
		"CR LF":                     "email,name,language\r\nada@example.org,Ada Ünal,de\r\n",
		"UTF-16, little end":        utf16Of("email\tname\tlanguage\r\nada@example.org\tAda Ünal\tde\r\n", false, true),
		"UTF-16, big end":           utf16Of("email,name,language\nada@example.org,Ada Ünal,de\n", true, true),
		"UTF-16 without its mark":   utf16Of("email;name;language\nada@example.org;Ada Ünal;de\n", false, false),
		"bars":                      "email|name|language\nada@example.org|Ada Ünal|de\n",
		"padded":                    "email     , name       ,language  \nada@example.org  ,  Ada Ünal  ,  de \n",
		"names in one heading each": "E-Mail Address;Vorname;Name;Sprache\nada@example.org;Ada;Ünal;Deutsch\n",
		"the last name first":       "email,last name,first name,language\nada@example.org,Ünal,Ada,German\n",
		"zero width":                "\uFEFF\u200Bemail\u200B,name,language\n\u200Bada@exam\u200Bple.org\u2060,\u00A0Ada Ünal\u200B,\u200Ede\n",
		"formulas":                  "email,name,language\n\"=\"\"ada@example.org\"\"\",\"=\"\"Ada Ünal\"\"\",de\n",
	} {
		if got := readAll(in, ListOptions{}); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := readAll("SEP=;\r\nE-Mail;Name;Sprache\r\nada@example.org;\"Ünal; Ada\";de\r\n", ListOptions{}); got != "3 ada@example.org [Ünal; Ada] de\n" {
		t.Errorf("sep=: %q", got)
	}
}

func TestAddressCellsAreNormalized(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  ada@example.org ":                  "ada@example.org",
		"mailto:ada@example.org?subject=hi":   "ada@example.org",
		"MAILTO:ada%2Bnews@example.org":       "ada+news@example.org",
		"<ada@example.org>":                   "ada@example.org",
		"Ada Brook <ada@example.org>":         "ada@example.org",
		"ada@example.org.":                    "ada@example.org",
		"ada@example.org,":                    "ada@example.org",
		"'+ada@example.org":                   "+ada@example.org",
		"'=ada@example.org":                   "=ada@example.org",
		"ada\u00AD@example.org":               "ada@example.org",
		"ada@example.org;ben@example.org":     "",
		"ada@example.org, ben@example.org":    "",
		"ada@example.org ben@example.org":     "",
		"ada@example.org / ben@example.org":   "",
		"ada@example.org ben":                 "",
		"'ada@example.org'":                   "",
		"'ada@example.org":                    "",
		"ada(at)example.org":                  "",
		"ada@example.org\nben@example.org":    "",
		"A <ada@example.org>, <b@x.org>":      "",
		`"ada@example.org" <ada@example.org>`: "ada@example.org",
		`"ada b"@example.org`:                 `"ada b"@example.org`,
		"ada@example.org (Ada Brook, b@c.d)":  "",
	} {
		address, _, fault := readAddress(trimCell(in))
		if got := address.String(); got != want || (fault == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, fault, want)
		}
	}
}

func TestAddressColumnIsFoundByContent(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Name,Address,City,Email\nAda,1 Quay Street,Harbour,a@x.org\n":        "a:",
		"E-Mail,Adresse,Ort\na@x.org,Hauptstr. 1,Bern\n":                      "a:",
		"Name,Address\nAda,a@x.org\n":                                         "a:",
		"Name,Address,Contact point\nAda,1 Quay Street,a@x.org\n":             "a:",
		"Name,Address\nAda,1 Quay Street\n":                                   "2 refused (address not valid)",
		"Name,City\nAda,Bern\n":                                               "stopped: subscriber list: " + errNoAddressColumn.Error(),
		"Name,First contact,Second contact\nAda,a@x.org,b@x.org\n":            "stopped: subscriber list: " + errNoAddressColumn.Error(),
		"First Name,E-mail Address,E-mail 2 Address\nAda,a@x.org,b@x.org\n":   "a:",
		"First Name,E-mail 1 - Value,E-mail 1 - Label\nAda,a@x.org,* Home\n":  "a:",
		"Status,Email,Home State,Home City\nactive,a@x.org,Oregon,Salem\n":    "a:active",
		"email,Home Street,Home City,Home State\na@x.org,1 Quay,Salem,Oregon": "a:",
	} {
		if got := readStates(t, in, ListOptions{}); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", in, got, want)
		}
	}
}

func TestLanguagesAndTimezonesAreNormalized(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"English": "en", "EN": "en", "en_US": "en-US", "FR_fr": "fr-FR", "français": "fr", "Französisch": "fr", "Deutsch": "de", "allemand": "de", "English (US)": "en",
		"pt-br": "pt-BR", "zh_Hant_TW": "zh-Hant-TW", "eng": "en", "en_US.UTF-8": "en-US", "日本語": "ja", "Norwegian": "no", "klingon?": "", "x": "", "und": "",
	} {
		if got, ok := ParseLanguage(in); got != want || ok != (want != "") {
			t.Errorf("language %q: %q", in, got)
		}
	}
	for in, want := range map[string]string{
		"europe/zurich": "Europe/Zurich", "Europe/Zurich": "Europe/Zurich", "AMERICA/NEW_YORK": "America/New_York", "america/new york": "America/New_York", "us/eastern": "US/Eastern",
		"america/port-au-prince": "America/Port-au-Prince", "europe/isle_of_man": "Europe/Isle_of_Man", "asia/ust-nera": "Asia/Ust-Nera", "etc/gmt+5": "Etc/GMT+5", "utc": "UTC",
		"nowhere/land": "", "../../etc/passwd": "", "local": "", "": "",
	} {
		if got, ok := ParseTimezone(in); got != want || ok != (want != "") {
			t.Errorf("time zone %q: %q", in, got)
		}
	}
	if got := readAll("email,language,timezone\na@x.org,Elvish,\nb@x.org,English,Middle/Earth\nc@x.org,English,null\n", ListOptions{}); got != "! line 2: language \"Elvish\" is not known; expected: a tag such as en or pt-BR, or a name such as English\n"+
		"! line 3: time zone \"Middle/Earth\" is not known; expected: a name such as Europe/Zurich, or leave the column out by its name\n4 c@x.org [] en\n" {
		t.Error(got)
	}
}

func TestDamagedLinesAreReported(t *testing.T) {
	t.Parallel()
	const stray = "email,name\na@x.org,\"Ada\nb@x.org,Ben\nc@x.org,\"Carl\nd@x.org,Dan\n"
	if got := readStates(t, stray, ListOptions{}); got != "2 refused (line not readable) b: 4 refused (line not readable) d:" {
		t.Error(got)
	}
	if got := readStates(t, "email,name\na@x.org,Ad\uFFFD\nb@x.org,Ben\n", ListOptions{}); got != "2 refused (line not readable) b:" {
		t.Error(got)
	}
}

func TestLabelsAndTopicsAreSplit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"""VIP, gold"",""Fair 2024"""`:    `["VIP, gold" "Fair 2024"]`,
		`"[""VIP, gold"", ""Fair 2024""]"`: `["VIP, gold" "Fair 2024"]`,
		`VIP|Fair 2024|VIP`:                `["VIP" "Fair 2024"]`,
		`"VIP; Fair 2024,"`:                `["VIP" "Fair 2024"]`,
		`* friends ::: * myContacts`:       `["* friends" "* myContacts"]`,
	} {
		for row, err := range readList(strings.NewReader("email,tags\na@x.org,"+in+"\n"), ListOptions{}) {
			if err != nil || fmt.Sprintf("%q", row.Labels) != want || row.Topics != nil {
				t.Errorf("%s: labels %q, topics %q, %v", in, row.Labels, row.Topics, err)
			}
		}
	}
}

func TestColumnsAndMappedWordsAreListed(t *testing.T) {
	t.Parallel()
	list, err := OpenList(strings.NewReader("E-Mail,status,TAGS,shoe size,Lead status,active_subscription\na@x.org,cleaned,,38,,\nb@x.org,cleaned,,,,\nc@x.org,active,,,,\n"),
		ListOptions{Ignore: []string{"Lead status"}, Columns: map[string]Meaning{"shoe size": MeansLabels}})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range list.Rows() {
		if err != nil {
			t.Fatal(err)
		}
	}
	var columns []string
	for _, c := range list.Columns() {
		columns = append(columns, fmt.Sprint(c.Heading, "=", c.Meaning, c.ByHand, c.Why))
	}
	const want = "E-Mail=emailfalse; status=statefalse; TAGS=labelsfalse; shoe size=labelstrue; Lead status=ignoredtrue; active_subscription=ignoredfalseabout payment"
	if got := strings.Join(columns, "; "); got != want {
		t.Errorf("columns\n%s\nwant\n%s", got, want)
	}
	if got := fmt.Sprint(list.Mapped()); got != "map[{status cleaned bounced}:2]" {
		t.Errorf("mapped %s", got)
	}
}

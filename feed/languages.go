package feed

import (
	"strings"

	"golang.org/x/text/language"
)

// languageTag returns the canonical form of a BCP 47 tag, or "" if the tag is invalid.
func languageTag(tag string) string {
	if tag == "" {
		return ""
	}
	parsed, err := language.Parse(tag)
	if err != nil || parsed.IsRoot() {
		return ""
	}
	return parsed.String()
}

// xmlLanguage returns a canonical tag for RSS and Atom documents. Validators accept only
// languages with a code of two letters and those of ISO 639-2. For others it returns the
// macrolanguage, or "und" if there is none: without a tag, the feed's language would apply
// to the item.
func xmlLanguage(tag string) string {
	primary, _, _ := strings.Cut(tag, "-")
	if len(primary) < 3 || iso639[primary] {
		return tag
	}
	if wider, err := language.Macro.Parse(tag); err == nil && wider.String() != tag {
		return xmlLanguage(wider.String())
	}
	return "und"
}

// iso639 contains the languages of ISO 639-2 that have no code of two letters.
var iso639 = func() map[string]bool {
	all := map[string]bool{}
	for _, code := range strings.Fields(`
	ace ach ada ady afa afh ain akk ale alg alt ang anp apa arc arn arp art arw ast ath aus awa bad bai bal ban bas bat bej
	bem ber bho bik bin bla bnt bra btk bua bug byn cad cai car cau ceb cel chb chg chk chm chn cho chp chr chy cmc cop cpe
	cpf cpp crh crp csb cus dak dar day del den dgr din doi dra dsb dua dum dyu efi egy eka elx enm ewo fan fat fil fiu fon
	frm fro frr frs fur gaa gay gba gem gez gil gmh goh gon gor got grb grc gsw gwi hai haw hil him hit hmn hsb hup iba ijo
	ilo inc ine inh ira iro jbo jpr jrb kaa kab kac kam kar kaw kbd kha khi kho kmb kok kos kpe krc krl kro kru kum kut lad
	lah lam lez lol loz lua lui lun luo lus mad mag mai mak man map mas mdf mdr men mga mic min mis mkh mnc mni mno moh mos
	mul mun mus mwl mwr myn myv nah nai nap nds new nia nic niu nog non nso nub nwc nym nyn nyo nzi osa ota oto paa pag pal
	pam pap pau peo phi phn pon pra pro qaa qtz raj rap rar roa rom rup sad sah sai sal sam sas sat scn sco sel sem sga sgn
	shn sid sio sit sla sma smi smj smn sms snk sog son srn srr ssa suk sus sux syr tai tem ter tet tig tiv tkl tlh tli tmh
	tog tpi tsi tum tup tut tvl tyv udm uga umb und vai vot wak wal war was wen xal yao yap ypk zap zen znd zun
`) {
		all[code] = true
	}
	return all
}()

package mailer

import (
	"bytes"
	"strings"
	"sync"

	"github.com/emersion/go-message/textproto"
)

// IsAutomatic reports whether a program wrote a mail: an automatic reply, a delivery report or a
// mail of a mailing list (RFC 3834, section 2). It reads only the header.
func IsAutomatic(mail []byte) bool {
	mail = bytes.ReplaceAll(mail[:min(len(mail), partMax)], []byte("\r\n"), []byte("\n"))
	p := parseMIMEPart(mail)
	h := p.header
	if kind := strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted"))); kind != "" && kind != "no" {
		// A mail program that sends the request for a person may mark it so (RFC 3834, section 5.2). It
		// answers no mail, so it is not an automatic reply.
		return kind != "auto-generated" || !asksToUnsubscribe(h) || p.kind == "multipart/report"
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-Auto-Response-Suppress", "X-AutoReply-From", "X-Mail-Autoreply", "X-FC-MachineGenerated", "X-POST-MessageClass", "X-Failed-Recipients", "List-Id", "X-Vacation"} {
		if value := strings.TrimSpace(h.Get(name)); h.Has(name) && !strings.EqualFold(value, "no") {
			return true
		}
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "bulk", "junk", "list", "auto_reply", "auto-reply", "autoreply":
		return true
	}
	r := reportReader{top: p}
	return p.kind == "multipart/report" || strings.HasPrefix(p.kind, "message/") || r.fromSystem() || awayPhrases.in(headerText(h, "Subject")) ||
		r.nullSender() && !asksToUnsubscribe(h)
}

// asksToUnsubscribe reports whether the subject is exactly the one in our mailto address of
// List-Unsubscribe. Automatic replies put words such as "Re:" in front of it.
func asksToUnsubscribe(h textproto.Header) bool {
	return strings.TrimSpace(normalizeWords(foldText(headerText(h, "Subject")))) == "unsubscribe"
}

// ReturnPathHeader returns the header line with the envelope sender that the receiving server
// puts above a mail (RFC 5321, section 4.4).
func ReturnPathHeader(from string) string { return "Return-Path: <" + singleLine(from) + ">\r\n" }

// lazyPhrases returns the matcher of some phrases, which is built on the first call.
type lazyPhrases func() *phraseMatcher

func newLazyPhrases(lines string) lazyPhrases {
	return sync.OnceValue(func() *phraseMatcher {
		matcher := newPhraseMatcher("")
		matcher.add(lines, 1)
		return matcher
	})
}

// in reports whether a text contains one of the phrases. The text need not be folded.
func (s lazyPhrases) in(text string) bool { return s().find(normalizeWords(foldText(text))) != 0 }

// The phrases of subjects and texts that tell reports from replies of people and from their
// out-of-office replies, in the notation of phraseMatcher.
var (
	awayPhrases = newLazyPhrases(`
		out ?of ?(?:the )?office
		ooo
		auto(?:matic|mated)?(?:ally)? ?(?:reply|response|answer|respond*|generated reply)
		autorepl*
		autorespon*
		auto re
		away
		vacation
		on (?:leave|holiday|vacation)
		abwesen*
		automatische (?:antwort|ruckmeldung|reaktie)
		urlaub
		nicht im (?:buro|buero|haus)
		absen(?:ce|t|te)
		reponse automatique
		en conge*
		respuesta automatica
		fuera de (?:la )?oficina
		ausencia
		resposta automatica
		risposta automatica
		fuori (?:sede|ufficio)
		assenza
		afwezig*
		poza biurem
		automatyczna odpowied*
		autosvar
		franvaro*
		automatisk svar
		fravaer*
		автоответ*
		автоматическии ответ
		отпуск*
	`)
	undeliveredPhrases = newLazyPhrases(`
		undeliver*
		non ?deliver*
		(?:mail|message|delivery) ~ (?:delivery )?(?:status|failure|failed|error|problem|report|system error|failing)
		deliver* (?:has |have |was |of )?(?:fail*|error|status|problem|report|notification|not possible|unsuccessful)
		deliver* ~ (?:fail*|could not|impossible|error)
		return(?:ed|ing)? (?:mail|message|to sender|e ?mail)
		failure (?:notice|notification|report|delivery)
		fail* ~ deliver*
		fail* to (?:send|reach|recipient)
		(?:could not|couldn t|cannot|can t|can not|unable to|wasn t able to|was not able to|not|never) (?:be |been )?(?:deliver*|sent|reach*|forward*)
		not (?:yet )?(?:been )?deliver*
		(?:did|does) not reach
		didn t reach
		permanent (?:error|failure|fatal)
		(?:error|problem) ~ (?:sending|deliver*)
		rejected
		message (?:refused|returned|bounced|blocked)
		mail (?:refused|returned|bounced|blocked)
		bounce*
		recipient (?:unknown|not found)
		unzustellbar*
		(?:nicht|nicht zu) ~ (?:zugestellt|zustell*|ausgeliefert|ubermittelt)
		zustell*
		non (?:remis*|delivr*|distribu*)
		(?:echec|erreur) ~ (?:remise|distribution|livraison|envoi|delivrance)
		(?:impossible|pas) ~ (?:delivre*|remettre|remis*|livre*|distribue*|acheminer|achemine)
		n a (?:pas )?(?:pu|ete)
		no ~ ~ entreg*
		(?:no|error|fallo) ~ entreg*
		(?:correo|mensaje) devuelto
		devolv*
		mancat* (?:consegn*|recapit*)
		(?:impossibile|non) ~ (?:consegn*|recapit*)
		(?:nao|falha) ~ entreg*
		(?:niet|onmogelijk) ~ (?:bezorg*|afgelever*|verzond*)
		onbestelbaar*
		(?:nie|nie zostala|nie moze) ~ (?:dostarczon*|doreczon*)
		niedostarczon*
		zwrot*
		(?:не|не был*|невозможно) ~ достав*
		недостав*
	`)
	delayedPhrases = newLazyPhrases(`
		delayed
		delay
		warning
		still being (?:retried|tried)
		(?:not yet|transient|temporar*) *
		incomplete
		verzogert*
		retard*
		retras*
		ritard*
		atras*
		opoznion*
		задерж*
	`)
	expiredPhrases = newLazyPhrases(`
		(?:giv(?:ing|en)|gave) up
		permanent
		(?:too long|expired|exceeded|retry timeout|in the queue|failed after|final failure|will not be retried|no longer)
		(?:undeliver*|returned)
		could not be delivered
	`)
)

package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// ReadsReturnPaths reports whether anything learns of the mail to return paths: a
// listener, a mailbox, the webhook of a mail service, or another program. Without one,
// mails go out with their sender as the return path.
func (c *Config) ReadsReturnPaths() bool {
	return c.ReadsUnsubscribeMail() || len(c.Bounces.Webhooks) > 0
}

// ReadsUnsubscribeMail reports whether anything reads the mail to unsubscribe
// addresses. Without it, mails offer the web address alone.
func (c *Config) ReadsUnsubscribeMail() bool {
	b := c.Bounces
	return b.SMTP != "" || b.LMTP != "" || b.Mailbox != nil || b.ReadElsewhere
}

// warnMail tells of settings that make receivers refuse or filter mails, and of bounces
// that no one sees.
func (c *Config) warnMail(warn func(key, what, right string)) {
	c.warnHTTP(warn)
	domains := c.senderDomains()
	if len(domains) == 0 {
		return
	}
	for _, s := range domains {
		switch {
		case freemail(s.domain):
			warn(s.key, "receivers refuse mail of "+s.domain+" that its own servers did not send", "an address at a domain of your own")
		case !c.signs(s.domain):
			warn(s.key, "no DKIM key signs for "+s.domain, `a key under mail.dkim, unless the relay signs ("tidings dkim keygen")`)
		}
	}
	c.warnReturnPath(domains, warn)
}

func (c *Config) warnHTTP(warn func(key, what, right string)) {
	u, err := url.Parse(c.Site.URL)
	if err == nil && u.Scheme == "http" && !isLocal(u.Hostname()) {
		warn("site.url", "links and one-click unsubscribing go to an address without TLS, which mail programs do not offer", "https://"+u.Host+u.Path)
	}
}

// warnReturnPath tells of return paths that do not align with the sender (RFC 7489,
// section 3.1.2), and of those that no one reads.
func (c *Config) warnReturnPath(domains []senderDomain, warn func(key, what, right string)) {
	const readers = "bounces.smtp, bounces.lmtp, bounces.mailbox or a webhook; bounces.read_elsewhere: true if another program reads them"
	domain := c.Mail.ReturnPathDomain
	switch {
	case !c.ReadsReturnPaths() && domain != "":
		warn("mail.return_path_domain", "nothing reads mail to "+domain+", so bounces go to the digests' senders and dead addresses are noticed late", readers)
		return
	case !c.ReadsReturnPaths():
		warn("bounces", "nothing reads bounces: they go to the digests' senders, and dead addresses are noticed late", readers)
		return
	case domain == "":
		return // each sender's own
	}
	for _, s := range domains {
		if organisation(s.domain) != organisation(domain) {
			warn("mail.return_path_domain", domain+" does not align with "+s.domain+", the domain of "+s.key+", so SPF counts for nothing there", "a domain below "+organisation(s.domain)+", such as bounces."+organisation(s.domain))
			return
		}
	}
}

// senderDomain is where a digest's sender is at home.
type senderDomain struct{ key, domain string }

func (c *Config) senderDomains() []senderDomain {
	var all []senderDomain
	for i, d := range c.Digests {
		if _, sender, err := subscriber.ParseMailbox(d.Sender); err == nil {
			all = append(all, senderDomain{fmt.Sprintf("digests[%d].sender", i), sender.Domain()})
		}
	}
	return all
}

// organisation is the domain that someone registered: example.org of
// news.example.org, example.co.uk of news.example.co.uk.
func organisation(domain string) string {
	registered, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(domain))
	if err != nil {
		return strings.ToLower(domain)
	}
	return registered
}

// freemailDomains are those of large mailbox providers, whose users cannot have others
// send for them: their DMARC policies or filters forbid it.
var freemailDomains = strings.Fields(`
	gmail.com googlemail.com aol.com aim.com ymail.com rocketmail.com msn.com icloud.com me.com mac.com mail.com email.com proton.me protonmail.com pm.me
	tutanota.com tuta.com tuta.io fastmail.com hushmail.com zohomail.com zohomail.eu inbox.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net
	web.de t-online.de freenet.de arcor.de online.de mailbox.org posteo.de bluewin.ch orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr
	btinternet.com virginmedia.com sky.com talktalk.net libero.it virgilio.it tiscali.it alice.it tin.it terra.es telefonica.net uol.com.br bol.com.br terra.com.br
	telenet.be skynet.be ziggo.nl kpnmail.nl home.nl planet.nl seznam.cz centrum.cz email.cz wp.pl o2.pl onet.pl interia.pl gazeta.pl op.pl
	mail.ru bk.ru list.ru inbox.ru rambler.ru ukr.net i.ua qq.com foxmail.com 163.com 126.com yeah.net sina.com sohu.com 139.com
	naver.com daum.net hanmail.net docomo.ne.jp ezweb.ne.jp softbank.ne.jp rediffmail.com bigpond.com`)

// freemailNames are providers with the same name in many countries.
var freemailNames = strings.Fields("yahoo hotmail outlook live gmx yandex")

func freemail(domain string) bool {
	domain = strings.ToLower(domain)
	if slices.Contains(freemailDomains, domain) {
		return true
	}
	name, _, _ := strings.Cut(domain, ".")
	return organisation(domain) == domain && slices.Contains(freemailNames, name)
}

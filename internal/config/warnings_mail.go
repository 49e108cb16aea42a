package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// ReadsReturnPaths reports whether bounces are read: by a listener, a mailbox, the webhook
// of a mail service, or another program. Without one, the sender is the return path.
func (c *Config) ReadsReturnPaths() bool {
	return c.ReadsUnsubscribeMail() || len(c.Bounces.Webhooks) > 0
}

// ReadsUnsubscribeMail reports whether mail to unsubscribe addresses is read. Otherwise mails have
// only the web address for unsubscribing.
func (c *Config) ReadsUnsubscribeMail() bool {
	b := c.Bounces
	return b.SMTP != "" || b.LMTP != "" || b.Mailbox != nil || b.ReadElsewhere
}

// warnMail warns of settings because of which receivers refuse or filter mails, and of bounces that
// are not read.
func (c *Config) warnMail(warn func(key, what, fix string)) {
	c.warnHTTP(warn)
	domains := c.senderDomains()
	if len(domains) == 0 {
		return
	}
	for _, s := range domains {
		switch {
		case freemail(s.domain):
			warn(s.key, words.T("receivers refuse mail from {0} that its own servers do not send", s.domain).String(), "use an address at your own domain")
		case !c.hasAlignedKey(s.domain):
			warn(s.key, words.T("no DKIM key signs for {0}", s.domain).String(), `add a key under mail.dkim ("tidings dkim keygen"), unless the relay signs`)
		}
	}
	c.warnReturnPath(domains, warn)
}

func (c *Config) warnHTTP(warn func(key, what, fix string)) {
	u, err := url.Parse(c.Site.URL)
	if err == nil && u.Scheme == "http" && !isLocal(u.Hostname()) {
		warn("site.url", "mail programs offer one-click unsubscribe only for https addresses", "use https://"+u.Host+u.Path)
	}
}

// warnReturnPath warns of return paths that do not align with the sender (RFC 7489,
// section 3.1.2), and of those that are not read.
func (c *Config) warnReturnPath(domains []senderDomain, warn func(key, what, fix string)) {
	const readers = "set bounces.smtp, bounces.lmtp, bounces.mailbox or a webhook, or bounces.read_elsewhere: true if another program reads them"
	domain := c.Mail.ReturnPathDomain
	switch {
	case !c.ReadsReturnPaths() && domain != "":
		warn("mail.return_path_domain", "nothing reads mail to "+domain+", so bounces go to the digests' senders and invalid addresses are noticed late", readers)
		return
	case !c.ReadsReturnPaths():
		warn("bounces", "nothing reads bounces: they go to the digests' senders, and invalid addresses are noticed late", readers)
		return
	case domain == "":
		return // each sender's own
	}
	for _, s := range domains {
		if organisation(s.domain) != organisation(domain) {
			warn("mail.return_path_domain", domain+" does not align with "+s.domain+", the domain of "+s.key+", so SPF does not count there", "use a domain below "+organisation(s.domain)+", such as bounces."+organisation(s.domain))
			return
		}
	}
}

// senderDomain is the domain of a digest's sender, with its key.
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

// organisation returns the registered domain: example.org for news.example.org,
// example.co.uk for news.example.co.uk.
func organisation(domain string) string {
	registered, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(domain))
	if err != nil {
		return strings.ToLower(domain)
	}
	return registered
}

// freemailDomains are the domains of large mailbox providers. Mail from them must be sent by
// their own servers: their DMARC policies or filters refuse all other.
var freemailDomains = strings.Fields(`
	gmail.com googlemail.com aol.com aim.com ymail.com rocketmail.com msn.com icloud.com me.com mac.com mail.com email.com proton.me protonmail.com pm.me
	tutanota.com tuta.com tuta.io fastmail.com hushmail.com zohomail.com zohomail.eu inbox.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net
	web.de t-online.de freenet.de arcor.de online.de mailbox.org posteo.de bluewin.ch orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr
	btinternet.com virginmedia.com sky.com talktalk.net libero.it virgilio.it tiscali.it alice.it tin.it terra.es telefonica.net uol.com.br bol.com.br terra.com.br
	telenet.be skynet.be ziggo.nl kpnmail.nl home.nl planet.nl seznam.cz centrum.cz email.cz wp.pl o2.pl onet.pl interia.pl gazeta.pl op.pl
	mail.ru bk.ru list.ru inbox.ru rambler.ru ukr.net i.ua qq.com foxmail.com 163.com 126.com yeah.net sina.com sohu.com 139.com
	naver.com daum.net hanmail.net docomo.ne.jp ezweb.ne.jp softbank.ne.jp rediffmail.com bigpond.com`)

// freemailNames are providers with domains in many countries.
var freemailNames = strings.Fields("yahoo hotmail outlook live gmx yandex")

func freemail(domain string) bool {
	domain = strings.ToLower(domain)
	if slices.Contains(freemailDomains, domain) {
		return true
	}
	name, _, _ := strings.Cut(domain, ".")
	return organisation(domain) == domain && slices.Contains(freemailNames, name)
}

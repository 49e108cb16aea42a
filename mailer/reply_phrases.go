package mailer

// recipientWords are the words for a recipient or a mailbox.
const recipientWords = `(?:users?|usernames?|userids?|recipients?|mailbox|mailboxes|mailfolders?|inbox|accounts?|address|addresses|addressees?|alias|login|receivers?|destinations?|person|customer|member|localpart|email id|mail ?id|` +
	`utilisateur|destinataires?|adresses?|boite|compte|usager|abonne|` +
	`benutzers?|benutzername|empfanger*|empfaenger*|mailadresse|emailadresse|empfangeradresse|zieladresse|postfach|mailkonto|konto|nutzer|teilnehmer|` +
	`usuario|destinatarios?|direccion|buzon|cuenta|endereco|caixa|conta|utilizador|utente|indirizzo|casella|` +
	`gebruiker|ontvanger|geadresseerde|adres|postvak|uzytkownik*|odbiorc*|adresat*|skrzynk*|` +
	`anvandare*|mottagare*|adressen|bruger*|modtager*|bruker*|mottaker*|uzivatel*|schrank*|kullanici*|alici*|adresi|vastaanottaj*|kayttaj*|cimzett*|` +
	`пользовател*|получател*|адрес*|ящик*|аккаунт*|учетн*|абонент*|` +
	`користувач*|одержувач*|скриньк*|utilizator*|destinatar*|korisnik*|primatelj*|uporabnik*|prejemnik*|kasutaja*|saaja*|lietotaj*|vartotoj*|потребител*|pengguna|penerima|χρηστης|χρηστη|παραληπτης)`

// phrases are the phrases of server replies by cause, in the notation of phraseMatcher. The field
// glyphs has regular expressions for languages without spaces between words.
var phrases = []struct {
	of            causes
	words, glyphs string
}{
	{of: causeSender, words: `
		sender s? ?(?:~ )?(?:verif*|domain|address|host|ip|name|server|policy|authenti*|authoriz*|callout|rejected|denied|refused|blocked|banned|invalid|unknown|envelope|id|must|cannot|could)
		sender (?:is |was |has |does )?(?:not|in|on|un*) *
		(?:unknown|invalid|bad|banned|forged|fake|spoofed|un*able|unauthori*|unauthenticated|blocked|rejected|denied|envelope|outbound|original|bulk|illegal|missing|suspicious) senders?
		(?:verif*|validat*|authenticate) ~ senders?
		not ~ (?:valid|authori*|authenticated|allowed|permitted|verified) ~ senders?
		return ?paths?
		reverse ?paths?
		mail ?from
		my name was rejected
		envelope from
		from (?:address|domain|header|field|line)
		call ?(?:out|back)s?
		(?:sender )?verification failed
		(?:could not|unable to|failed to|cannot|can not|can t|not) (?:be )?verif*
		while verifying
		your (?:~ )?(?:domain|ip|host|hostname|sender|return|from|network|isp|account)
		your (?:smtp |mail |outgoing )?server
		your (?:email |mail |own )?address
		originator
		(?:accept*|accepting|receive|receiving|refuse*|reject*|block*) ~ (?:mail|email|email|messages?|mails|traffic) from
		you are not (?:allowed|authorized|authorised|permitted|welcome)
		not (?:authorized|authorised|allowed|permitted) to (?:send|post|use)
		expediteurs?
		emetteur
		absender*
		remitentes?
		remetentes?
		mittent*
		afzender*
		nadawc*
		avsandar*
		afsender*
		avsender*
		odesilatel*
		gonderen*
		lahettaj*
		felado*
		отправител*
		відправник*
		подател*
		expeditor*
		posiljatel*
		pengirim
		nguoi gui
		αποστολε*
		المرسل
		مرسل
		השולח
	`, glyphs: `发件人|寄件|寄件者|发信|送信者|送信元|差出人|보낸|발신`},

	{of: causeRelaying, words: `
		relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed)|prohibited|forbidden|disallowed)
		(?:unable|not (?:permitted|allowed|authori*|configured)|cannot|can not|can t|refuse*|won t|will not|do not|don t|does not|denied|deny) (?:to )?relay*
		relaying
		not an open relay
		open (?:relay|proxy)
		allowed rcpthosts
		authentication (?:is )?required
		must (?:first )?authenticate
		(?:authenticate|log in|login) (?:first|before)
		relais (?:interdit|refuse|non autorise)
	`},

	{of: causeBlock, words: `
		spam*
		spamhaus
		spamcop
		unsolicited
		junk
		bulk
		ube
		uce
		(?:dns|r|rhs|d|s|ur)bl
		dnsbl*
		(?:black|block|deny|deney) ?(?:list|hole)*
		block ?listed
		suppression ?lists?
		suppressed sending
		(?:recipient|recipients|address|addresses|mailbox) (?:is |was |has been |are )?suppressed
		listed (?:in|on|at|by|as)
		(?:is|are|been|currently|host|server|ip|client|address) listed
		reputation
		senderbase
		sender ?score
		barracuda (?:reputation|networks)
		ptr
		r ?dns
		reverse (?:dns|lookup|resolution|address|host*|ip|name|mapping|record)
		no reverse
		dmarc*
		spf
		dkim
		domainkeys?
		unauthenticated
		authentic*
		credentials
		tokens?
		challenge*
		captcha
		password
		whitelist*
		allow ?(?:ed )?(?:list*|contacts|senders|mailers)
		(?:known|approved|trusted) (?:contacts|senders)
		attachments?
		(?:invalid|missing|bad|empty|forbidden) subject
		(?:recipient count|number of ~ (?:recipients|messages))
		helo
		ehlo
		banned
		blocked (?:by|using|for|due|because|at)
		blocked ~ (?:ip|ips|host|network|list*)
		(?:ip|ips|network|host|client|server|connections?|domain|traffic|range) ~ (?:is |was |has been |been )?(?:blocked|rejected|refused|denied|restricted|not allowed)
		(?:mail|emails?|messages?|content) (?:was |has been |is |been )?(?:blocked|filtered|quarantined)
		virus*
		malware
		phish*
		malicious
		suspicious
		suspected
		trojan
		(?:executable|prohibited|forbidden|illegal|banned) attachments?
		content (?:reject*|filter*|polic*|restrict*|denied|not|violat*|analysis|scan*|control)
		(?:message|mail|email) content
		(?:unacceptable|objectionable|inappropriate|forbidden|offensive) content
		headers?
		(?:not|violates|violate|non) rfc*
		rfc* (?:~ )?(?:compliant|compliance|violation*)
		rate ?limit*
		(?:message|connection|sending|send|mail) rate
		throttl*
		too many (?:~ )?(?:messages?|mails?|emails?|connections?|recipients|errors|sessions|requests|attempts|unknown|invalid|bad|failed)
		(?:too|so) (?:fast|quickly)
		(?:hourly|daily|sending|send|messages?|connections?) (?:~ )?(?:limits?|quotas?)
		limit (?:of|on) ~ (?:messages|mails|connections)
		quota ~ (?:messages|sender|day|hour|ip)
		excessive ~ (?:rate|volume|errors|mail|connections|unknown)
		(?:message|mail|email) scored
		complaints?
		delist*
		unusual (?:rate|volume|activity|traffic)
		bad dns
		dynamic(?:ally)? (?:assigned )?(?:ip|ips|address*|range)
		dial ?up
		residential
		service refus*
		grey ?list*
		gray ?list*
		starttls
		encryption
		certificate
		listes? noires?
		indesirables?
		pourriels?
		sperrlist*
		blockier*
		unerwunscht*
		blocklisten*
		listas? negras?
		no (?:deseado|solicitado)
		indesejad*
		list[ae] ner[ae]
		indesiderat*
		zwarte lijst
		ongewenst*
		czarn* lis*
		niechcian*
		спам*
		черн* спис*
		нежелательн*
		репутац*
		рассылк*
	`, glyphs: `垃圾|黑名单|黑名單|信誉|信譽|频率|頻率|频繁|頻繁|反垃圾|拦截|攔截|病毒|迷惑メール|スパム|ブラックリスト|スパム|스팸`},

	{of: causeFull, words: `
		over ?quota
		(?:over|above|beyond|out of|past) ~ (?:quota|disk quota|storage|allocation)
		quota ~ (?:exceed*|full|exhausted|reached|violation|violated|used up|limit)
		(?:mailbox|mail|storage|disk|user|account|inbox|file ?system) quota
		quotaexceeded*
		exceed* ~ (?:quota|storage|mailbox|allotted|allocated|disk|allowed space)
		exceeded ~ storage
		(?:mailbox|inbox|mailfolder|account|user s mailbox|store|disk|box|folder|recipient s? ?mailbox|user) (?:is |was |are |has been |currently |too |almost |is too |is currently |is almost )?full
		mailboxfull
		full mailbox
		storage (?:limit|space|allocation|capacity)
		(?:out of|insufficient|not enough|no|low on|lack of) ~ (?:disk|storage|space|capacity)
		disk full
		mailbox (?:~ )?(?:size|limit|capacity|over|exceeded|storage)
		receiv* (?:email|mail) (?:at a rate|too quickly|too fast)
		boites? ~ (?:pleines?|saturee?s?)
		quota ~ (?:depasse*|atteint*)
		depass* ~ quota
		pleine?s?
		postfach ~ (?:voll|uberfullt|ueberfuellt|uberlaufen)
		mailbox ~ (?:voll|llen[oa]|piena|cheia|vol|pelna)
		(?:speicherplatz|speicher|kontingent|quota|speicherlimit) _ (?:uberschritten|ueberschritten|erschopft|voll|uberzogen)
		buzon ~ llen[oa]
		(?:buzon|casilla|cuenta|bandeja) _ (?:llen[oa]|sin espacio)
		(?:cuota|cota|quota) ~ (?:excedid*|superad*|superat*|esgotad*)
		espacio insuficiente
		casella ~ piena
		spazio ~ (?:esaurito|insufficiente)
		caixa ~ (?:cheia|lotada)
		(?:postvak|mailbox) ~ vol
		skrzynk* ~ (?:pelna|przepelnion*|zapelnion*)
		(?:pelna|przepelnion*) skrzynk*
		przekrocz* ~ (?:limit*|pojemnos*|quot*|rozmiar*)
		переполнен*
		превышен* ~ (?:квот*|лимит*|размер*)
		квот*
		нет места
	`, glyphs: `容量|已满|已滿|空间不足|空間不足|配额|配額|満杯|いっぱい|一杯|용량|가득`},

	{of: causeSize, words: `
		(?:message|mail|email|attachment|body|data|length|size|it|this) (?:is |was |are |file |file is )?too (?:large|big|long)
		too (?:large|big) ~ (?:message|mail|for|to)
		(?:message|mail|email|attachment|body|maximum) ~ (?:size|length)
		(?:size|length) ~ (?:exceed*|larger|greater|over|limit)
		maximum ~ size
		larger than
		oversize*
		message exceeds
		trop (?:volumineu*|gros*|grand*|lourd*)
		zu gross*
		demasiado grande
		muito grande
		troppo grande
		te groot
		слишком больш*
	`, glyphs: `邮件过大|郵件過大|邮件太大|サイズ超過|大きすぎ`},

	{of: causeUnknownUser, words: `
		WHO _ (?:notlisted|not known|not found|not exist*|doesn t exist|does not exist|don t exist|do not exist|did not exist|no longer exists?|not present|non ?existent|no longer valid|not recogni[sz]ed|unrecogni[sz]ed|undeliverable|discontinued|terminated|is wrong)
		WHO ~ (?:unknown|unkn|invalid|not valid|(?:is|was|are|seems|looks) ~ (?:unknown|invalid|not valid))
		WHO ~ (?:is |are |isn t |was |were )?(?:not )?(?:a |an )?(?:known|valid|existing|active|local|real) ~ WHO
		WHO _ (?:has been|was|is|were|been) (?:deleted|removed|closed|terminated|cancell?ed)
		WHO (?:is |are )?(?:closed|deleted|terminated)
		WHO _ (?:cannot|can not|can t|could not|couldn t|could t) be (?:found|located|resolved|identified)
		WHO _ (?:not|isn t|no longer) (?:here|(?:in|on|at|with|from|hosted|served|part) _ (?:system|server|host|domain|organi[sz]ation|directory|list|table|company|database|site|here|network|service))
		WHO _ no longer (?:active|available|in use|used|here|with us|accepts?|receives?|works?|employed|at this|on this|a|monitored)
		WHO (?:does not|doesn t|do not|don t) have (?:an? )?_ (?:account|mailbox|address)
		(?:we )?(?:do not|don t) have (?:an? )?(?:account|mailbox|user) (?:for|by|with|named|called)
		WHO has (?:no|left|moved) *
		WHO (?:not|is not|isn t) (?:local|ok|here|active at this host|allowed here)
		WHO name ~ (?:invalid|unknown|not found)
		(?:unknown|unrouteable local|undefined|invalid|illegal|nonexistent|non existent|non existing|inexistent|unrecogni[sz]ed|undeliverable|obsolete|dead) (?:or ~ )?(?:local |email |mail |recipient |recipient s |destination |mailbox |virtual |user |final delivery |to )?WHO
		(?:bad|wrong|incorrect) (?:destination |recipient |mailbox |email |destination mailbox )?(?:WHO|syntax)
		no valid recipients for this mm
		no such ~ (?:WHO|person|one|name|mailbox|entry|local)
		no (?:mailbox|mail box|user|account|recipient|addressee|person) (?:here|by|with|at|of|found|for|available|named|called|exists?|on|in|there)
		(?:cannot|can not|can t|could not|couldn t|did not|didn t|unable to|failed to|not able to) (?:be )?(?:find|locate|found|resolve|identify|look ?up) (?:~ )?(?:WHO|your intended)
		(?:is|are|isn t) (?:not )?a (?:known|valid|existing) (?:user|recipient|mailbox|account|address|local)
		(?:not|isn t) (?:an? )?(?:known|valid|existing|active|current) ~ (?:user|recipient|mailbox|account|address|local)
		there is no (?:one|user|account|mailbox|such|person)
		no one (?:at|by|with|here) *
		nobody (?:here|by|with) *
		(?:unknown|invalid) local (?:part|user)
		badrcptto*
		(?:valid|bad) ?(?:rcpt ?to|recipient ?to)
		bad ?recipient ?to
		unknown ?user
		user ?unknown
		unknownrecipient
		invalidrecipient
		recipient ?notfound
		recipientnotfound
		exrecip ?notfound
		nosuchuser
		not our *
		missing home directory
		virtual user
		account that you tried to reach does not exist
		WHO (?:est )?inconnue?s?
		WHO _ (?:introuvables?|inexistante?s?|n exist* (?:pas|plus)|non valides?|non trouve*|(?:pas|plus) valides?|n est (?:pas|plus) (?:valide|connu|reference)*|n a pas ete trouve*)
		(?:inconnue?|invalide|mauvais|mauvaise|aucune?) (?:~ )?WHO
		WHO _ (?:unbekannt|nicht bekannt|existiert nicht|existiert nicht mehr|nicht existier*|nicht existent|nicht gefunden|nicht vorhanden|nicht mehr (?:gultig|vorhanden|existent|aktiv|verfugbar)|(?:ist|sind) ungultig|(?:ist|sind) ungueltig|gibt es nicht|geloscht|nicht gultig|nicht zustellbar)
		(?:unbekannte?r?s?|ungultige?r?s?|ungueltige?r?s?|falsche?r?s?|kein|keine|keinen|nicht existierende?r?) (?:solche?[nrs]? )?WHO
		es gibt kein* *
		WHO _ (?:no existe*|inexistente*|no encontrad*|no se encontro|no (?:se )?(?:ha|pudo|fue|ha podido) (?:sido )?encontr*|no es valid[oa]|no localizad*|no esta registrad*)
		(?:no existe|no hay|ningun|desconocid[oa]|no se encontro|no se encuentra|no se ha encontrado) (?:~ )?(?:WHO|persona)
		WHO _ (?:nao exist*|nao encontrad*|nao foi encontrad*|nao localizad*)
		(?:nao existe|desconhecid[oa]) (?:~ )?WHO
		WHO _ (?:inesistent*|non esist*|non (?:e )?(?:stato )?trovat*|non e valid*)
		(?:nessun|sconosciut[oa]) (?:~ )?WHO
		WHO _ (?:bestaat niet|bestaat niet meer|niet gevonden|niet bekend|is ongeldig|niet geldig)
		(?:onbekende?|ongeldige?) (?:~ )?WHO
		WHO _ (?:nie istnieje|nie znalezion*|jest nieprawidlow*|jest niepoprawn*|nie jest znan*)
		(?:nieznan*|nie ma tak*|brak|nie istnieje) (?:~ )?WHO
		WHO ~ (?:inconnue?s?|desconocid*|desconhecid*|sconosciut*|onbekend*|nieznan*|неизвест*)
		WHO (?:de email |de correo |email |est |es |esta |sont |e )?(?:invalid[aeo]s?|invalides?|ungultig|ungueltig|ongeldig|nieprawidlow*|niepoprawn*)
		WHO (?:de email |de correo )?non? valid[oa]s?
		WHO _ (?:okand*|ukendt*|ukjent*|finns (?:inte|ej)|findes ikke|finnes ikke|hittades inte|eksisterer ikke|ogiltig*)
		(?:okand*|ukendt*|ukjent*) (?:~ )?WHO
		WHO _ (?:neznam*|neexist*|nenalezen*|bilinmiyor|bilinmeyen|bulunamadi|mevcut degil|gecersiz|yok|tuntematon*|ei ole|ismeretlen|nem letezik)
		(?:neznam*|bilinmeyen|gecersiz|tuntematon|ismeretlen) (?:~ )?WHO
		WHO _ (?:не существует|не существуют|не найден*|недействител*|не зарегистрирован*|отсутству*|не обнаружен*)
		так(?:ого|ой) WHO (?:здесь |тут )?нет
		WHO (?:не (?:існує|знайдено|знайдений|съществува)|няма такъв)
		(?:невідом*|неіснуюч*|непознат|несъществуващ) WHO
		WHO (?:nu exista|inexistent|necunoscut*|ne postoji|nepoznat*|ne obstaja|neobstaja|ei eksisteeri|nav atrasts|neeksiste|nerastas|neegzistuoja|tidak ditemukan|tidak ada|tidak dikenal|tidak terdaftar|δεν υπαρχει|δεν βρεθηκε)
		(?:necunoscut|nepoznat*|neznan*|tundmatu|nezinams|nezinomas|αγνωστος|αγνωστη) WHO
		(?:nguoi dung|nguoi nhan|[dđ]ia chi|tai khoan|hop thu) (?:nay )?khong (?:ton tai|tim thay|hop le)
		khong (?:ton tai|tim thay) (?:nguoi dung|nguoi nhan|[dđ]ia chi|tai khoan|hop thu)
		(?:المستخدم|المستلم|العنوان|الحساب|صندوق البريد) (?:غير موجود|غير معروف|لا وجود له)
		(?:המשתמש|משתמש|הנמען|נמען|התיבה) (?:לא קיים|אינו קיים|לא נמצא|לא ידוע)
		(?:неизвестн*|несуществующ*|нет так*|неверн*|не существует так*) (?:~ )?WHO
	`, glyphs: `用户不存在|用戶不存在|不存在.{0,8}(?:用户|用戶|邮箱|郵箱|信箱|帐号|账号|收件)|(?:收件|邮箱|郵箱|信箱|帐号|账号|帳號|用户|用戶|使用者|地址|账户|帐户).{0,16}(?:不存在|无效|無效|找不到|未找到|未知|错误|不正确)|(?:找不到|无此|無此|没有此|沒有此|没有该|没有这个|查无此|查無此).{0,8}(?:用户|用戶|人|邮箱|信箱|使用者|收件|帐号|账号|帳號|地址)|(?:ユーザー?|宛先|あて先|受信者|メールアドレス|アドレス|メールボックス).{0,16}(?:不明|存在し(?:ません|ない)|見つかり|見つかる|誤って|無効|ありません)|(?:수신자|사용자|받는 사람|주소|계정|메일함).{0,16}(?:존재하지|없습니다|찾을 수 없|알 수 없|없는)|(?:존재하지 않는|알 수 없는|없는) (?:수신자|사용자|주소|계정)|ไม่พบ(?:ผู้ใช้|ผู้รับ|บัญชี)|ไม่มี(?:ผู้ใช้|ผู้รับ|บัญชี)นี้`},

	{of: causeUnavailable, words: `
		requested (?:mail )?action (?:not taken|aborted) ~ mailbox (?:unavailable|not found|unknown|not available)
		requested mail action aborted ~ mailbox *
		mailbox (?:is )?not available
		unrouteable address
		unroutable address
	`},

	{of: causeUnknownHost, words: `
		host ~ (?:unknown|not found)
		unknown (?:mail )?(?:host|domain)
		no such (?:host|domain|mail domain)
		domain ~ (?:not found|unknown|does not exist|doesn t exist|is not reachable|not reachable|must exist|not exist|invalid|no longer exists?)
		any (?:host|mail exchanger|mx) ~ named
		null ?mx
		(?:does not|doesn t|do not|don t) (?:accept|receive) (?:any )?(?:email|mail|email|inbound)
		(?:takes|accepts) no mail
		name or service not known
		nxdomain
		non ?existent (?:host|domain)*
		domain or user isn t in my list
		(?:hote|domaine) ~ (?:inconnu*|n existe pas|introuvable|inexistant)
		(?:domain|domaine|rechner|host|zieldomain) ~ (?:unbekannt|existiert nicht|nicht gefunden)
		(?:unbekannte?r?) (?:domain|host|rechner)
		dominio ~ (?:desconocido|no existe|inexistente|nao existe|inesistente|sconosciuto|desconhecido|non esiste)
		домен* ~ (?:не существует|не найден*|неизвест*)
	`, glyphs: `域名不存在|ドメイン.{0,8}(?:存在しません|見つかり)`},

	{of: causeRouting, words: `
		name service error
		dns (?:error|failure|lookup|server|resolution)
		unable to route
		no route
		lookup failed
		loops? back
		(?:mail|routing) loop*
		too many hops
		hop count
		time ?out
		timed out
		retry ~ (?:timeout|time)
		server (?:is )?(?:down|unreachable|unavailable|busy)
		connection (?:refused|timed|reset|lost|failed|died|closed|dropped)
	`},

	{of: causeInactive, words: `
		WHO _ (?:disabled|deactivated|inactive|not active|suspended|locked|frozen|expired|on hold|restricted|dormant)
		WHO ~ (?:is |was |been |temporarily )?(?:blocked|closed temporarily)
		(?:disabled|deactivated|inactive|suspended|locked|expired|frozen|dormant) (?:~ )?WHO
		WHO _ (?:desactive*|inactif*|inactive*|suspendu*|bloquee?|deaktiviert|gesperrt|inaktiv|stillgelegt|abgeschaltet|nicht aktiv|deshabilitad*|desactivad*|desativad*|suspendid*|suspens*|bloquead[oa]|inactiv*|inativ*|disabilitat*|disattivat*|sospes*|bloccat*|inattiv*|uitgeschakeld|geblokkeerd|inactief|zablokowan*|nieaktywn*|wylaczon*|inaktiverad*|sparrad*)
		WHO _ (?:заблокирован*|отключен*|неактив*|приостановлен*)
	`, glyphs: `停用|冻结|凍結|禁用|被锁|锁定|鎖定|一時停止|利用停止`},

	{of: causePolicy, words: `
		block*
		preferences?
		permissions?
		(?:mail|message|email) (?:was |has been |is )?(?:rejected|refused|rejetee?|refusee?|abgewiesen|abgelehnt|rechazado|rifiutato)
		polic*
		prohibited
		forbidden
		not (?:allowed|permitted|authori*|accepted|welcome)
		disallowed
		filter*
		violat*
		restrict*
		unacceptable
		administrative*
		banned
		abuse
		content
		delivery not authori*
		bloquee?s?
		politique*
		gesperrt
		richtlinie*
		abgelehnt
		bloquead*
		politica*
		bloccat*
		geblokkeerd
		zablokowan*
		заблокирован*
		блокир*
		политик*
	`, glyphs: `拒绝|拒絕|策略|限制|屏蔽|拒否|制限|ブロック|차단`},

	{of: causeTemporary, words: `
		temporar*
		try (?:again )?later
		again later
		momentan*
		vorubergehend*
		provisoire*
		temporaire*
		temporanea*
		plus tard
		mas tarde
		piu tardi
		mais tarde
		spater
		временно
		позже
	`, glyphs: `稍后|稍後|暂时|暫時|一時的|しばらく`},
}

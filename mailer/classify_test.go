package mailer

import (
	"bufio"
	"strings"
	"testing"
)

// Refusals of servers, by what they mean for the subscriber. Each has the form of a real server's
// reply, in our own words; the stage is RCPT unless the line begins with another.
var deadMailboxes = `
550 5.1.1 <ada@example.net>: Recipient address rejected: User unknown in virtual mailbox table
550 5.1.1 <ada@example.net>: Recipient address rejected: User unknown in relay recipient table
550 <ada@example.net>: Recipient address rejected: User unknown in local recipient table
550 5.1.1 <ada@example.net>... User unknown
553 5.3.0 <ada@example.net>... No such user
550-5.1.1 The email account you wrote to does not exist. Please check the address for typing errors. 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser a12-3si - gsmtp
550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [AM7EUR06FT012.eop-eur06.prod.protection.outlook.com]
550 Requested action not taken: mailbox unavailable
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@example.net not found by SMTP address lookup
550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found
554 delivery error: dd This user doesn't have a yahoo.com account (ada@yahoo.com) [-5] - mta4001.mail.gq1.yahoo.com
554 delivery error: dd Not a valid recipient - atlas101.free.mail.gq1.yahoo.com
552 1 Requested mail action aborted, mailbox not found
550 5.5.0 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]
554 Adresse d au moins un destinataire invalide. Invalid recipient. LPN007_416
550 5.1.1 Adresse d'au moins un destinataire invalide. OFR204_418
550 Requested action not taken: mailbox unavailable. For explanation visit https://postmaster.gmx.net/en/error-messages?ip=192.0.2.7&c=rnru
550 Empfänger unbekannt
550 5.1.1 User unknown (t-online) - mailbox does not exist at this domain
550 5.1.1 unknown recipient or mailbox unavailable -> ada@example.net
550 5.1.1 <ada@icloud.com>: user does not exist
550 5.1.6 recipient no longer on server: ada@me.com
550 sorry, no mailbox here by that name (#5.1.1 - chkuser)
553 sorry, this recipient is in my badrecipientto list (#5.7.1)
550 sorry, your envelope recipient is in my badrcptto list (#5.7.1)
550 5.1.1 sorry, that address is not in my validrcptto list
550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [AbCdEfGh.uk12]
550 5.1.1 User Unknown - psmtp
550 #5.1.0 Address rejected.
550 5.1.1 No such recipient: ada (cisco)
550 permanent failure for one or more recipients (ada@example.net:550 5.1.1 unknown user)
550 5.7.1 No such user!
550 5.1.1 <ada@mail.ru>: Message was not accepted -- invalid mailbox. Local mailbox ada@mail.ru is unavailable: user not found
550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000728
550 User not found: ada@163.com
550 No Such User Here
550 Unrouteable address
550 unrouteable address: no such user
550 5.1.1 Mailbox "ada" does not exist
550 Unknown user: ada@example.net
550 unknown user <ada@example.net>
550 User (ada) unknown.
551 User not local; please try another path - no such user here
553 5.1.3 The recipient address is not a valid RFC-2821 mailbox name; unknown user
550 We do not have a mailbox for this person: no one here by that name
550 The recipient cannot be found in the directory
550 5.1.1 Address unknown: could not find recipient in our list of users
550 Recipient does not exist on this system
550 5.1.1 ada@example.net is not a known user here
550 "ada" is not a valid mailbox
550 No account by that name here
550 That account has been closed
550 This account has been deleted
550 5.1.1 Mailbox has been removed by its owner: no such mailbox
550 this address no longer accepts mail
550 The person has left the company; address no longer valid
550 User name (ada@example.net) not listed in Domino Directory
550 5.1.1 Recipient unknown. Return to sender.
550 mailbox: ada is not on this server
550 Invalid mailbox: ada
550 invalid recipient address
550 Bad destination mailbox address
554 Final: 554 delivery error: dd This user doesn't have an account here
550 Final: 550 5.1.1 <ada@example.net> User unknown
550 5.2.1 <ada@example.net>... User Unknown
550 5.3.0 unknown user
550 4.1.1 user unknown
550 Utilisateur inconnu
550 5.1.1 Destinataire inconnu : cette adresse n'existe pas
550 Boîte aux lettres inexistante
550 L'adresse du destinataire est invalide
550 Aucun utilisateur de ce nom: adresse introuvable
550 5.1.1 Benutzer nicht vorhanden
550 Unbekannter Empfänger
550 Postfach existiert nicht
550 Die Empfängeradresse ist ungültig
550 Kein Postfach mit diesem Namen
550 Diese E-Mail-Adresse gibt es nicht mehr; Adresse nicht gefunden
550 El usuario no existe
550 5.1.1 Destinatario desconocido
550 La dirección de correo no es válida
550 No existe ese usuario en este servidor
550 Buzón inexistente
550 Usuário desconhecido
550 5.1.1 O destinatário não existe
550 Endereço de e-mail inválido
550 Utente sconosciuto
550 Casella inesistente
550 L'indirizzo del destinatario non esiste
550 Gebruiker onbekend
550 Het postvak bestaat niet
550 Nieznany użytkownik
550 Skrzynka nie istnieje
550 Okänd mottagare
550 Modtageren findes ikke
550 Uživatel neexistuje
550 Kullanıcı bulunamadı
550 Пользователь не найден
550 Неизвестный получатель
550 Адресат не существует
550 5.1.1 Почтовый ящик не существует
550 收件人不存在
550 用户不存在
550 邮箱地址无效，找不到该用户
550 宛先のメールアドレスが存在しません
550 ユーザー不明
550 수신자를 찾을 수 없습니다
550 5.1.2 bad destination system: no such domain
550 5.1.2 <ada@gone.example>... Host unknown (Name server: gone.example: host not found)
550 Unknown host gone.example
553 sorry, that domain isn't here: recipient domain must exist
556 5.1.10 Recipient address has null MX
556 domain does not accept mail
521 gone.example does not accept mail
550 5.1.2 The mail could not be delivered because the recipient's domain is not reachable
550 5.1.1 inactive email address
550-5.1.1 Mailbox not recognised 550 5.1.1 it may never have existed
550 5.1.1 Recipient rejected
550 5.1.1 recipient address rejected
550 5.1.1
550: <ada@example.net>: User unknown
550-User unknown
550 The account you are trying to reach does not exist
550 5.1.1 unknown or illegal alias: ada
550 no mail box available for this user
550 undeliverable address: host mx.example.net said: 550 no such user
550 Sorry, we don't have an account for ada@example.net
550 user doesn't have account
550 Kein solcher Benutzer
550 Indirizzo non valido
550 Ukendt bruger
550 Такого пользователя нет
550 Невідомий користувач
550 Користувача не знайдено
550 Потребителят не съществува
550 Utilizator necunoscut
550 Utilizatorul nu există
550 Korisnik ne postoji
550 Nepoznat korisnik
550 Uporabnik ne obstaja
550 Tundmatu kasutaja
550 Lietotājs nav atrasts
550 Vartotojas nerastas
550 Người dùng không tồn tại
550 Địa chỉ không tồn tại
550 Pengguna tidak ditemukan
550 ไม่พบผู้ใช้
550 المستخدم غير موجود
550 משתמש לא קיים
550 Άγνωστος χρήστης
`

var softRefusals = `
552 5.2.2 <ada@example.net>: user is over quota
552 5.2.2 The recipient's mailbox is out of space. https://support.google.com/mail/?p=OverQuotaPerm
552 Mailbox full
554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded
550 5.1.1 Quota exceeded (mailbox for user is full)
452 Final: 552 5.2.2 mailbox size limit exceeded
550 Requested mail action aborted: exceeded storage allocation
550 5.2.2 Postfach voll
550 Das Postfach des Empfängers ist voll
552 La boîte du destinataire est pleine
552 Quota dépassé pour cette boîte
552 Buzón lleno
552 La casella del destinatario è piena
552 Caixa postal cheia
552 Postvak vol
552 Skrzynka jest przepełniona
552 Почтовый ящик переполнен
552 邮箱空间不足
552 メールボックスの容量を超えています
550 5.2.1 The email account that you tried to reach is disabled
550 5.2.1 mailbox disabled, not accepting messages
550 This account is inactive [#102]
550 account has been suspended
550 User account is locked
550 Mailbox is blocked
550 Konto gesperrt
550 Compte suspendu
550 Аккаунт заблокирован
554 delivery error: dd Sorry your message cannot be delivered. This account has been disabled or discontinued [#102].
550 5.2.0 mailbox trouble
550 mailbox temporarily unavailable, user not found at the moment; try again later
554 5.4.4 Host or domain name not found. Name service error for name=gone.example type=A: Host not found
554 5.4.6 Too many hops
550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB5EUR03FT004.eop-EUR03.prod.protection.outlook.com]
550 5.4.1 <ada@example.net>: Recipient address rejected: Access denied [AM7EUR06FT012.eop-eur06.prod.protection.outlook.com]
550 5.4.1 All recipient addresses rejected : Access denied
550 Recipient address rejected: Access denied
550 5.4.0 routing trouble
550 5.3.0 mail system trouble
550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered
550 Nope
550 User suspended or does not exist
551 moved
553 5.6.7 non-ASCII address not permitted for that sort
550 5.5.0 nothing to say
`

var ourFaults = `
554 5.7.1 recipient address suppressed due to customer policy
550 5.1.1 This address is on the suppression list for your account
550 5.1.1 Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address
550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org
554 5.7.1 <ada@example.net>: Relay access denied
550 relaying denied
553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
550 5.7.1 Unable to relay
550 5.7.26 This mail has been blocked because the sender is unauthenticated
550-5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup
550-5.7.28 [192.0.2.1] Our system has detected an unusual rate of unsolicited mail
550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).
550 5.7.511 Access denied, banned sender[192.0.2.1]
550 5.7.606 Access denied, banned sending IP
554 Transaction failed Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/en/error-messages?ip=192.0.2.1&c=hi
550-Requested action not taken: mailbox unavailable 550 Sender address: invalid DNS MX or A/AAAA resource record
554 Bad DNS PTR resource record
554 Final: 554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tobr@rx.t-online.de to clarify.) (NOWL)
550 5.2.0 Final: 550 5.2.0 Mail rejeté. Mail rejected. OFR_506 [506]
550 DMARC check failed
550 5.1.1 rejected by DMARC policy of example.org
550 SPF check failed; see http://www.openspf.org/Why?s=mfrom
550 5.7.20 no passing DKIM signature found
550 Blocked
550 5.1.1 blocked for spam
550 Your IP is listed in our reputation system
550 5.1.1 IP address blacklisted by recipient
554 Service unavailable; Client host blocked using Barracuda Reputation; http://www.barracudanetworks.com/reputation/?pr=1&ip=192.0.2.1
550 5.7.1 [CS01] Messages rejected due to IP reputation
550 Sender verify failed
550-Verification failed for <b-x@bounces.example.org> 550-No Such User Here 550 Sender verify failed
550 sender domain does not exist
550 <news@example.org>: Sender address rejected: Domain not found
450 Final: 550 5.1.8 <news@example.org>: Sender address rejected: Domain not found
550 5.1.7 invalid return path: user unknown
550 Callback setup failed while verifying <news@example.org>: no such user
550 Could not verify: sending address does not exist (callout)
550 <b-aeaaaaaabbbbccccddddeeee@bounces.example.org>: User unknown
501 5.1.8 Access denied, bad outbound sender
550 Envelope sender domain must exist
553 Domain of sender address news@example.org does not exist
550 Reverse DNS lookup failed for host 192.0.2.1
550 Your host name does not resolve: HELO name not found
550 Connected to 192.0.2.9 but my name was rejected
550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required
552 5.2.3 Message length exceeds administrative limit
552 5.3.4 Message size exceeds fixed limit
550 Message too large for this mailbox
554 5.6.0 Message contains invalid header
550 message content rejected
554 Final: 554 5.7.1 Message rejected: looks like a phishing attempt
550 virus detected
550 too many messages from your network, rate limit exceeded
550 5.7.0 Daily sending quota exceeded
550 Refused due to recipient preferences
550 5.1.1 Refused due to recipient preferences
550 User does not accept mail from unknown senders
550 The recipient has blocked messages from your domain
550 You are not allowed to send to this recipient
550 Recipient address rejected: Please see http://www.openspf.org/Why?s=mfrom
554 5.7.1 <ada@example.net>: Recipient address rejected: Access denied
550 L'expéditeur est inconnu
550 Votre adresse IP est sur une liste noire
550 Absenderadresse existiert nicht
550 Absender-Domain nicht gefunden
550 Nachricht wegen Spamverdacht abgelehnt
550 El remitente no existe
550 IP en lista negra
550 Mittente sconosciuto
550 Remetente inválido
550 Nadawca nieznany
550 Отправитель не существует
550 Спам отклонён
550 发件人域名不存在
550 拒绝：疑似垃圾邮件
550 送信者のドメインが存在しません
554 5.7.1 reject by policy
550 5.7.0 access denied
530 5.7.0 Must authenticate first
503 5.5.1 bad sequence of commands
500 what
550 MAIL: 550 5.1.1 user unknown
550 greeting: 550 no such user
550 Final: 550 5.7.1 policy
554 Final: 554 no
553 This target domain requires a TLS certificate; invalid certificate
550 mail to this recipient was quarantined: content filter
550 Administrative prohibition
550 This message scored too high
`

// existingMailboxes are refusals by mailboxes that exist, with words that other servers use for
// mailboxes that do not.
var existingMailboxes = `
550 5.7.1 Message rejected: From header address is not valid
550 The address in your From: header does not exist
550 5.7.1 Your message to this user was rejected because your account is invalid
550 The domain of your address could not be found in DNS
550 5.1.0 Sender denied
550 Mail from unknown domain refused
550 user not allowed to receive mail from outside
550 5.7.1 recipient does not accept external mail
550 Recipient has opted out; address not accepting bulk
550 Message for ada could not be delivered: mailbox over its limit
550 your address was not found in the recipient's list of allowed contacts
550 Recipient only accepts mail from known contacts; sender not found in address book
550 Access denied to this mailbox, invalid token
550 Invalid recipient count for sender
550 user account expired quota
550 5.7.1 SPF record for domain not found
550 Unknown error for recipient, contact the administrator
550 mailbox for ada is currently unavailable
550 unable to resolve your hostname; mailbox access refused
550 No valid PTR for host; user delivery refused
550 sorry, no valid cert for address
550 DNS: no MX found for return domain
550 rejected: helo name is invalid, user blocked
554 5.7.1 The recipient's mailbox rejected your message as it looks like marketing; address not verified
550 invalid characters in header, mailbox refuses
550 5.6.0 Invalid MIME in message to user
550 5.1.1 Rejected because of your reputation
550 Ce message est refusé : expéditeur inconnu du destinataire
550 Der Empfänger nimmt keine Mails von unbekannten Absendern an
550 Mailbox des Empfängers vorübergehend nicht verfügbar
550 Nachricht abgelehnt, ungültige Kopfzeile
550 El destinatario no acepta mensajes de remitentes desconocidos
550 Mensaje rechazado por contenido no válido para el destinatario
550 Адрес отправителя не найден
550 Получатель не принимает письма от неизвестных отправителей
550 收件人拒绝来自未知发件人的邮件
550 5.7.1 address list not valid: too many recipients
550 The message to the account was not found to be authentic
550 User's server could not be found, try later
550 connect to mx failed: host not found for recipient domain (temporary DNS error)
550 recipient server down, mailbox not found in cache, retry
550 Account not paid, mailbox is on hold
550 5.2.1 The mailbox is not active yet
550 Attachment not valid for this user
550 user has exceeded the number of invalid messages
550 ada@example.net: greylisting, address unknown to us, try again in 5 minutes
550 IP not found in account's allow list
550 This recipient is protected by a challenge; your address is unknown
550 delivery to this address needs a password in subject; invalid subject
550 invalid date in mail for recipient
550 Nachricht an Empfänger enthält ungültige Zeichen
550 Le message au destinataire contient des caractères invalides
550 El mensaje para el usuario contiene caracteres inválidos
550 Mensagem ao destinatário com cabeçalho inválido
550 Messaggio al destinatario con allegato non valido
550 Bericht aan ontvanger bevat ongeldige tekens
550 Wiadomość do odbiorcy zawiera nieprawidłowe znaki
550 Сообщение получателю содержит недопустимый спам
550 L'utilisateur refuse les messages de personnes inconnues
550 Der Benutzer akzeptiert keine unbekannten Server
550 El usuario rechaza correos de servidores desconocidos
550 We do not have an account for your server's network
550 Il messaggio al destinatario ha un indirizzo del mittente non valido
550 Destinatarul nu acceptă mesaje de la expeditori necunoscuți
550 Korisnik ne prihvaća poruke nepoznatih pošiljatelja
550 Одержувач не приймає листи від невідомих відправників
550 Người dùng không nhận thư từ người gửi không xác định
550 Pengguna menolak surat dari pengirim tidak dikenal
550 المستخدم لا يقبل الرسائل من مرسل غير معروف
550 Ο χρήστης δεν δέχεται μηνύματα από άγνωστο αποστολέα
550 Brugeren modtager ikke mails fra ukendte afsendere
550 Доступа для такого отправителя нет, пользователь не принимает почту
`

// TestRefusalsOfExistingMailboxesDoNotSuppress allows any class except Suppress.
func TestRefusalsOfExistingMailboxesDoNotSuppress(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(strings.TrimSpace(existingMailboxes)) {
		quoted := Recipient{Action: "failed", Reply: diagnostic("smtp; " + strings.TrimSpace(line))}
		atRecipient := quoted.Reply
		atRecipient.Stage = StageRcpt
		if got, direct := quoted.Class(), Classify(atRecipient, nil); got == Suppress || direct == Suppress {
			t.Errorf("%q is %s in a report and %s at RCPT", strings.TrimSpace(line), got, direct)
		}
	}
}

// cutSample returns the stage and the reply of a line.
func cutSample(line string) (Stage, string) {
	for prefix, stage := range map[string]Stage{"Final: ": StageFinal, "MAIL: ": StageMail, "greeting: ": StageGreeting} {
		if _, reply, found := strings.Cut(line, prefix); found {
			return stage, reply
		}
	}
	return StageRcpt, line
}

// TestRefusalsByMeaning: a refusal by an existing mailbox must not suppress it, and one by a dead
// mailbox must. Each refusal is read as a reply to us and as quoted in a report.
func TestRefusalsByMeaning(t *testing.T) {
	t.Parallel()
	read := 0
	for want, samples := range map[Class]string{Suppress: deadMailboxes, Soft: softRefusals, OurFault: ourFaults} {
		for line := range strings.Lines(strings.TrimSpace(samples)) {
			stage, text := cutSample(strings.TrimSpace(line))
			read++
			quoted := Recipient{Action: "failed", Reply: diagnostic("smtp; " + text)}
			if stage == StageRcpt {
				if got := quoted.Class(); got != want {
					t.Errorf("%q in a report is %s, want %s (%b)", text, got, want, causesOf(quoted.Reply.Text))
				}
			}
			if len(text) > 3 && text[3] == ':' {
				continue // only reports write it like this; it is not a valid reply
			}
			reply, err := readReply(bufio.NewReader(strings.NewReader(onWire(text))), stage)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if got := Classify(reply, nil); got != want {
				t.Errorf("%q at %s is %s, want %s (%b)", text, stage, got, want, causesOf(reply.Text))
			}
		}
	}
	if read < 150 {
		t.Errorf("%d refusals were read, want 150 or more", read)
	}
}

// onWire returns the lines of a reply that is given on one line.
func onWire(text string) string {
	code := text[:3]
	if len(text) == 3 || text[3] != '-' {
		return text + "\r\n"
	}
	lines := strings.Split(text[4:], " "+code)
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		lines[i] = code + separator + strings.TrimLeft(line, " -")
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// Package bounce takes in what comes back after a mail was sent: delivery reports,
// complaints and requests to unsubscribe, by SMTP, LMTP, IMAP, POP3 and the
// webhooks of mail services. New makes the Processor that they all come to, by ServeSMTP,
// ServeLMTP, Poll and Webhook.
//
// The Processor acts only on what names one of our deliveries: a return path or
// Message-ID that carries our HMAC. It acts once on each.
package bounce

// Package bounce processes delivery reports, complaints and requests to unsubscribe. They arrive by
// SMTP, LMTP, IMAP and POP3 and through the webhooks of mail services. Start with New, which makes a
// Processor; its methods ServeSMTP, ServeLMTP, Poll and Webhook receive reports.
//
// The Processor acts only on a report that identifies one of our deliveries, by a return path or
// Message-ID with our HMAC. It records each kind of outcome of a delivery once.
package bounce

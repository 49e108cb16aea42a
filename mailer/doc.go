// Package mailer compiles messages, sends them over SMTP and LMTP, and interprets server replies and bounces.
//
// Start with Compile, which turns a Message into a Compiled message, and Dial, which opens a Conn.
// Compiled.Render fills in the values of one recipient. Conn.SendEnvelope, AwaitReady and Deliver send
// one mail after the other; the body of a mail and the envelope of the next go out in one write.
// Classify maps a reply to what the sender has to do. Signer adds DKIM signatures, SignedAddresses makes
// return paths and Message-IDs that identify a delivery, and ParseReport reads bounces and complaints.
package mailer

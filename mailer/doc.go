// Package mailer compiles messages, sends them over SMTP and LMTP, and reads what servers answer.
//
// Start with Compile, which turns a Message into a Compiled one that Render fills in per recipient,
// and Dial, which opens a Conn. SendEnvelope, AwaitReady and Deliver carry one mail after the other,
// the body of one and the envelope of the next in a single write. Classify says what to do about a
// reply. Signer adds DKIM signatures, SignedAddresses makes return paths and Message-IDs that name
// their delivery, and ParseReport reads the bounces and complaints that come back.
package mailer

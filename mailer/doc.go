// Package mailer moves one mail to one server, fast and with a certain outcome.
//
// Cast compiles a variant into a Mould, whose Pour gives the bytes of one
// recipient's mail. Dial opens a Conn, on which Open, Ready and Deliver carry one
// mail after the other, the body of one and the envelope of the next in a single
// write. Classify says what a reply means. Beside them stand Signer for DKIM,
// Paths for return paths and message ids that prove that they are ours, and
// ParseReport for the bounces and complaints that come back.
package mailer

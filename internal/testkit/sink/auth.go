package sink

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
)

// mechanisms are those that are offered when there are users and nothing else was
// asked for.
const mechanisms = "PLAIN LOGIN XOAUTH2 SCRAM-SHA-256"

// auth knows PLAIN and XOAUTH2 with an initial response, LOGIN, and SCRAM.
func (s *session) auth(rest string) error {
	mechanism, initial, _ := strings.Cut(rest, " ")
	var good bool
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		parts := strings.Split(decode(initial), "\x00")
		good = len(parts) == 3 && s.checkPassword(parts[1], parts[2])
	case "LOGIN":
		user := s.ask("Username:")
		good = s.checkPassword(user, s.ask("Password:"))
	case "XOAUTH2":
		user, token, _ := strings.Cut(strings.TrimPrefix(decode(initial), "user="), "\x01auth=Bearer ")
		if good = s.checkPassword(user, strings.TrimRight(token, "\x01")); !good {
			s.ask(`{"status":"401"}`)
		}
	case "SCRAM-SHA-256":
		good = s.scram(sha256.New, false)
	case "SCRAM-SHA-256-PLUS":
		good = s.scram(sha256.New, true)
	case "SCRAM-SHA-1":
		good = s.scram(sha1.New, false)
	case "SCRAM-SHA-1-PLUS":
		good = s.scram(sha1.New, true)
	}
	if !good {
		s.reply("535 5.7.8 authentication failed")
		return nil
	}
	s.authenticated = true
	s.reply("235 2.7.0 welcome")
	return nil
}

func (s *session) checkPassword(user, password string) bool {
	want, known := s.server.opts.Users[user]
	return known && want == password
}

func (s *session) ask(challenge string) string {
	s.reply("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
	line, _ := s.line()
	return decode(line)
}

func decode(s string) string {
	data, _ := base64.StdEncoding.DecodeString(s)
	return string(data)
}

// scram is the server's side of RFC 5802, with the SHA-256 of RFC 7677. Bound, the
// client must prove that its TLS connection is this very one.
func (s *session) scram(h func() hash.Hash, bound bool) bool {
	const salt, rounds = "salt of the sink", 4096
	header, binding := "n,,", ""
	if bound {
		kind, data, ok := s.binding()
		if !ok {
			return false
		}
		header, binding = "p="+kind+",,", data
	}
	first, found := strings.CutPrefix(s.ask(""), header)
	user, nonce, _ := strings.Cut(strings.TrimPrefix(first, "n="), ",r=")
	password, known := s.server.opts.Users[user]
	if !found || !known {
		return false
	}
	nonce += "sink"
	challenge := fmt.Sprintf("r=%s,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString([]byte(salt)), rounds)
	final, proof, _ := strings.Cut(s.ask(challenge), ",p=")
	salted, err := pbkdf2.Key(h, password, []byte(salt), rounds, h().Size())
	if err != nil || final != "c="+base64.StdEncoding.EncodeToString([]byte(header+binding))+",r="+nonce {
		return false
	}
	said := first + "," + challenge + "," + final
	clientKey := sign(h, salted, "Client Key")
	stored := h()
	stored.Write(clientKey)
	signature := sign(h, stored.Sum(nil), said)
	for i := range clientKey {
		clientKey[i] ^= signature[i]
	}
	if decode(proof) != string(clientKey) {
		return false
	}
	s.ask("v=" + base64.StdEncoding.EncodeToString(sign(h, sign(h, salted, "Server Key"), said)))
	return true
}

// binding is what both ends of a TLS connection know and nobody between them: of
// TLS 1.3 the exporter (RFC 9266), before it tls-unique (RFC 5929, section 3).
func (s *session) binding() (kind, data string, ok bool) {
	conn, ok := s.conn.(*tls.Conn)
	if !ok {
		return "", "", false
	}
	state := conn.ConnectionState()
	if state.Version < tls.VersionTLS13 && state.TLSUnique != nil {
		return "tls-unique", string(state.TLSUnique), true
	}
	key, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	return "tls-exporter", string(key), err == nil
}

func sign(h func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

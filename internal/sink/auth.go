package sink

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// mechanisms are those that are offered when there are users.
const mechanisms = "PLAIN LOGIN XOAUTH2 SCRAM-SHA-256"

// auth knows PLAIN and XOAUTH2 with an initial response, LOGIN, and SCRAM.
func (s *session) auth(rest string) error {
	mechanism, initial, _ := strings.Cut(rest, " ")
	var good bool
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		parts := strings.Split(decode(initial), "\x00")
		good = len(parts) == 3 && s.right(parts[1], parts[2])
	case "LOGIN":
		user := s.ask("Username:")
		good = s.right(user, s.ask("Password:"))
	case "XOAUTH2":
		user, token, _ := strings.Cut(strings.TrimPrefix(decode(initial), "user="), "\x01auth=Bearer ")
		if good = s.right(user, strings.TrimRight(token, "\x01")); !good {
			s.ask(`{"status":"401"}`)
		}
	case "SCRAM-SHA-256":
		good = s.scram()
	}
	if !good {
		s.say("535 5.7.8 authentication failed")
		return nil
	}
	s.known = true
	s.say("235 2.7.0 welcome")
	return nil
}

func (s *session) right(user, password string) bool {
	want, known := s.server.opts.Users[user]
	return known && want == password
}

func (s *session) ask(challenge string) string {
	s.say("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
	line, _ := s.line()
	return decode(line)
}

func decode(s string) string {
	data, _ := base64.StdEncoding.DecodeString(s)
	return string(data)
}

// scram is the server's side of RFC 5802 with the SHA-256 of RFC 7677, without
// channel binding.
func (s *session) scram() bool {
	const salt, rounds = "salt of the sink", 4096
	first, found := strings.CutPrefix(s.ask(""), "n,,")
	user, nonce, _ := strings.Cut(strings.TrimPrefix(first, "n="), ",r=")
	password, known := s.server.opts.Users[user]
	if !found || !known {
		return false
	}
	nonce += "sink"
	challenge := fmt.Sprintf("r=%s,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString([]byte(salt)), rounds)
	final, proof, _ := strings.Cut(s.ask(challenge), ",p=")
	salted, err := pbkdf2.Key(sha256.New, password, []byte(salt), rounds, sha256.Size)
	if err != nil || final != "c=biws,r="+nonce {
		return false
	}
	said := first + "," + challenge + "," + final
	clientKey := sign(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	signature := sign(stored[:], said)
	for i := range clientKey {
		clientKey[i] ^= signature[i]
	}
	if decode(proof) != string(clientKey) {
		return false
	}
	s.ask("v=" + base64.StdEncoding.EncodeToString(sign(sign(salted, "Server Key"), said)))
	return true
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

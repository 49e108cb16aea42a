package testkit

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Dex is a running OpenID Connect provider with one account.
type Dex struct {
	Issuer, ClientID, ClientSecret string
	Email, Password                string // of the account
}

const dexConfig = `
issuer: %[1]s
storage: {type: memory}
web: {http: %[2]q}
logger: {level: error}
oauth2: {skipApprovalScreen: true}
staticClients:
  - {id: %[3]s, secret: %[4]s, name: Tidings, redirectURIs: [%[5]q]}
enablePasswordDB: true
staticPasswords:
  - {email: %[6]q, hash: %[7]q, username: ada, userID: "08a8684b-db88-4b73-90a9-3cd1661f5466", groups: [newsroom]}
`

// StartDex starts the provider that scripts/install-dex has built, for a client with a redirect address
// and one account. It skips the test if dex is not installed.
func StartDex(t testing.TB, redirect, email string) Dex {
	t.Helper()
	program := filepath.Join(cacheFolder(t, "dex"), "dex")
	if _, err := os.Stat(program); err != nil {
		t.Skip("SKIPPED: dex is not installed (make tools)")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	d := Dex{Issuer: "http://" + address + "/dex", ClientID: "tidings", ClientSecret: "a-secret-of-the-client", Email: email, Password: "a password at dex"}
	hash, err := bcrypt.GenerateFromPassword([]byte(d.Password), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dex.yaml")
	text := fmt.Sprintf(dexConfig, d.Issuer, address, d.ClientID, d.ClientSecret, redirect, email, hash)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", file)
	cmd.Stdout, cmd.Stderr = testWriter{t}, testWriter{t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	Eventually(t, "dex to answer", func() bool {
		answer, err := http.Get(d.Issuer + "/.well-known/openid-configuration")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return d
}

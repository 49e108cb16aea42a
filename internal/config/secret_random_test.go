package config

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// TestPasswordInAnyAddressOfAStoreIsHidden writes a password as people write it: escaped, or as it is, with
// characters that have a meaning in addresses.
func TestPasswordInAnyAddressOfAStoreIsHidden(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 1))
	around := func(alphabet string) string {
		b := make([]byte, random.IntN(4))
		for i := range b {
			b[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(b)
	}
	hosts := []string{"db.example.org", "db.example.org:5432", "[2001:db8::1]:5432", "a.example:1,b.example:2", ""}
	for range 3000 {
		const special = ":@?#%!$'()*+,;=~a1 "
		password := around(special) + planted + around(special)
		host, scheme := hosts[random.IntN(len(hosts))], []string{"postgres", "postgresql"}[random.IntN(2)]
		var dsn, place string
		switch random.IntN(4) {
		case 0:
			dsn, place = scheme+"://"+url.UserPassword("u", password).String()+"@"+host+"/db?sslmode=require", "escaped"
		case 1:
			dsn, place = scheme+"://u:"+password+"@"+host+"/db", "as it is"
		case 2:
			dsn, place = scheme+"://u@"+host+"/db?"+url.Values{"password": {password}, "sslmode": {"disable"}}.Encode(), "in the query"
		case 3:
			dsn, place = "host="+host+" user=u password="+password, "as keys and values"
		}
		d := DSN(dsn)
		for _, shown := range []string{d.String(), fmt.Sprint(d), fmt.Sprintf("%q %#v %+v", d, d, struct{ D DSN }{d}), string(must(json.Marshal(d)))} {
			if strings.Contains(shown, planted) {
				t.Fatalf("%s: %q is shown as %s", place, dsn, shown)
			}
		}
		if place != "as keys and values" && !d.hasPassword() {
			t.Fatalf("%s: %q has no password", place, dsn)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

package lint

import (
	"encoding/csv"
	"strings"
)

// ClientTable and ReadSupport are for tests of the table of mail programs.
var (
	ClientTable = clientTable
	ReadSupport = readSupport
)

// ClientFacts returns the lines of the table by feature.
func ClientFacts() map[string][]string {
	r := csv.NewReader(strings.NewReader(clientTable))
	r.Comment = '#'
	rows, _ := r.ReadAll()
	out := map[string][]string{}
	for _, row := range rows[1:] {
		out[row[0]] = row[1:]
	}
	return out
}

package schema

import (
	"strings"
	"testing"
)

func TestManyMigrationsAreNamedByTheFirstAndLast(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"it lacks 00001_a, 00002_b; stop":                                    &MigrationDueError{[]string{"00001_a", "00002_b"}},
		"it lacks 5 migrations, from 1 to 5; stop":                           &MigrationDueError{strings.Fields("1 2 3 4 5")},
		"does not know: 6 migrations, from 00007 to 00012 (its own end with": &NewerError{Unknown: []int64{7, 8, 9, 10, 11, 12}, Newest: "00006_x"},
		"does not know: 00007 (its own":                                      &NewerError{Unknown: []int64{7}, Newest: "00006_x"},
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not contain %q", err, want)
		}
	}
}

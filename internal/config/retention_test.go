package config

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// TestRetentionOfAnyLengthLiesInThePast: people write a large number for "keep it". Subtracted from the present
// time it must not overflow to a time in the future, before which every record would be removed.
func TestRetentionOfAnyLengthLiesInThePast(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC)
	for _, key := range []string{"deliveries", "feedback", "jobs", "revisions", "media", "audit"} {
		for _, days := range []int{366, 36_500, 1_000_000, math.MaxInt32} {
			expectProblem(t, fmt.Sprintf("retention: {%s: %d}", key, days), "", "")
			before := now.AddDate(0, 0, -days).UnixMilli() // as the maintenance computes it
			if age := (now.UnixMilli() - before) / (24 * time.Hour).Milliseconds(); age != int64(days) {
				t.Errorf("%d days before now are %d days before now", days, age)
			}
		}
		for _, days := range []string{"2147483648", "1000000000000", "9223372036854775807", "99999999999999999999", "1e30", "forever", "-1", "-9223372036854775808"} {
			if got := problemsOf(t, "retention: {"+key+": "+days+"}"); len(got) != 1 {
				t.Errorf("%s: %s: %q", key, days, got)
			}
		}
	}
}

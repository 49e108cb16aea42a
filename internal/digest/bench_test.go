package digest

import (
	"fmt"
	"testing"
)

// A variant is rendered once for all its subscribers, so that some milliseconds do no harm.
func BenchmarkRender(b *testing.B) {
	set := builtIn(b)
	for _, n := range []int{1, 10, 40, 1000} {
		b.Run(fmt.Sprintf("articles=%d", n), func(b *testing.B) {
			in := manyArticles(n)
			b.ReportAllocs()
			for b.Loop() {
				v, err := Render(in, Preferences{}, set)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(v.HTML)), "html-bytes")
			}
		})
	}
}

func BenchmarkChoose(b *testing.B) {
	candidates := manyArticles(1000).Articles
	for i := range candidates {
		candidates[i].Status = "published"
	}
	b.ReportAllocs()
	for b.Loop() {
		Choose(candidates, Rule{Max: 50}, testTime)
	}
}

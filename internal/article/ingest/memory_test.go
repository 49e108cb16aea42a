package ingest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/testkit"
)

// Limits for the import of any one file.
const (
	mostMemory = 200 << 20
	mostTime   = 5 * time.Second // CPU time, on a machine where the yardstick takes usualYardstick
)

// usualYardstick is the CPU time of the yardstick on the machine for which mostTime holds. A
// machine that is slower, or whose processors are shared with others, gets more time.
const usualYardstick = 200 * time.Millisecond

// costly are files that once took gigabytes or minutes, or that are close to a limit.
var costly = map[string]func() (name, data string){
	"wide table":      func() (string, string) { return "a.md", front + wideTable(2000, 2000) },
	"very wide table": func() (string, string) { return "a.md", front + wideTable(20_000, 20_000) },
	"many tables":     func() (string, string) { return "a.md", front + filled("|a|b|\n|-|-|\n\n", 1<<20) },
	"dotted TOML":     func() (string, string) { return "a.md", "+++\n" + strings.Repeat("a.", 10_000) + "a = 1\n+++\n" },
	"dotted TOML tables": func() (string, string) {
		return "a.md", "+++\n" + filled("[["+strings.Repeat("a.", 30)+"a]]\n", 250_000) + "+++\n"
	},
	"inline TOML": func() (string, string) {
		return "a.md", "+++\na = " + strings.Repeat("{a=", 10_000) + "1" + strings.Repeat("}", 10_000) + "\n+++\n"
	},
	"many TOML values":      func() (string, string) { return "a.md", "+++\na = [" + strings.Repeat("1,", 120_000) + "]\n+++\n" },
	"YAML aliases":          func() (string, string) { return "a.md", "---\n" + yamlLaughs(20) + "---\n" },
	"deep YAML":             func() (string, string) { return "a.md", "---\na: " + strings.Repeat("[", 9_000) + "\n---\n" },
	"many YAML values":      func() (string, string) { return "a.md", "---\na: [" + strings.Repeat("a,", 120_000) + "]\n---\n" },
	"deep JSON":             func() (string, string) { return "a.md", `{"a":` + strings.Repeat("[", 200_000) },
	"long JSON":             func() (string, string) { return "a.md", `{"a":[` + filled("1,", 7<<20) },
	"fifteen million lines": func() (string, string) { return "a.md", front + strings.Repeat("a\n", 15_000_000) },
	"lines":                 func() (string, string) { return "a.md", front + strings.Repeat("a\n", 199_990) },
	"headings":              func() (string, string) { return "a.md", front + strings.Repeat("# a\n", 99_990) },
	"list":                  func() (string, string) { return "a.md", front + strings.Repeat("1. a\n", 99_990) },
	"footnotes":             func() (string, string) { return "a.md", front + filled("[^1]: a\n\n[^1]\n\n", 280_000) },
	"emphasis":              func() (string, string) { return "a.md", front + filled("*a _b ", 390_000) },
	"one long link, named many times": func() (string, string) {
		return "a.md", front + "[a]: /" + strings.Repeat("u", 100_000) + "\n\n" + strings.Repeat("[a]\n\n", 25_000)
	},
	"attributes in Markdown": func() (string, string) { return "a.md", front + "<p " + filled("a ", 1<<20) + ">" },
	"prose": func() (string, string) {
		return "a.md", front + filled("Some words with *weight* in a paragraph of a length that is usual in reports about tides.\n\n", 2<<20)
	},
	"HTML attributes": func() (string, string) { return "a.html", page + filled("<a href=b>", 1_300_000) },
	"HTML elements":   func() (string, string) { return "a.html", page + filled("<font><p>", 900_000) },
	"HTML tables":     func() (string, string) { return "a.html", page + filled("<table><tr><td>x", 2<<20) },
	"deep HTML":       func() (string, string) { return "a.html", page + filled("<div>", 1_900_000) },
	"text":            func() (string, string) { return "a.txt", "x\n\n" + filled("a\n\n", 590_000) },
	"one line":        func() (string, string) { return "a.txt", "x\n\n" + filled("words ", 2<<20) },
	"JSON lines":      func() (string, string) { return "a.jsonl", jsonLines(200_000, "x") },
	"long JSON lines": func() (string, string) {
		return "a.jsonl", jsonLines(9_000, strings.Repeat("<p>Some words of a text.</p>", 25))
	},
	"a picture in the text": func() (string, string) {
		return "a.md", front + "![](data:image/png;base64," + filled("AAAA", 7<<20) + ")\n"
	},
}

const page = "<title>x</title><meta name=date content=2026-01-01>"

func wideTable(columns, rows int) string {
	return strings.Repeat("|a", columns) + "|\n" + strings.Repeat("|-", columns) + "|\n" + strings.Repeat("|\n", rows)
}

// yamlLaughs returns nested YAML aliases ("billion laughs"): each list names the one before
// it nine times.
func yamlLaughs(levels int) string {
	var out strings.Builder
	out.WriteString("a0: &a0 [x]\n")
	for i := range levels {
		fmt.Fprintf(&out, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 9), ","))
	}
	return out.String()
}

func jsonLines(n int, body string) string {
	var out strings.Builder
	for i := range n {
		if out.Len() > ingest.MaxFile-1000 {
			break
		}
		fmt.Fprintf(&out, `{"id":%d,"title":"x","date":"2026-01-01","html":"%s"}`+"\n", i, body)
	}
	return out.String()
}

// cost is the measured cost of an import and a summary of its result.
type cost struct {
	Memory    uint64 // bytes obtained from the system; this number never shrinks
	Time      time.Duration
	Yardstick time.Duration // the CPU time of a fixed piece of work, measured right after the import
	Result    string
}

// costOf is the environment variable that names the import to measure. Each import runs in
// its own process, so that its memory can be measured.
const costOf = "TIDINGS_TEST_COST_OF"

func TestMain(m *testing.M) {
	if name := os.Getenv(costOf); name != "" {
		measure(name)
		return
	}
	m.Run()
}

func measure(name string) {
	file, data := costly[name]()
	found, problems := ingest.Import(ingest.File{Name: file, Data: []byte(data), Modified: modified}, ingest.Options{Site: site})
	out := cost{Result: fmt.Sprintf("%d articles", len(found))}
	for _, p := range problems {
		out.Result += "; " + p.Error()
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	out.Memory, out.Time = memory.Sys, processorTime()
	found, data = nil, ""
	runtime.GC()
	begin := processorTime()
	yardstick()
	out.Yardstick = processorTime() - begin
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}

// yardstick parses a fixed HTML text with a library, so it takes the same work in every
// version of the importer.
func yardstick() {
	source := filled(`<p class="a">Some <em>words</em> of a <a href="/b">text</a>.</p>`, 500_000)
	for range 5 {
		if _, err := html.Parse(strings.NewReader(source)); err != nil {
			panic(err)
		}
	}
}

// processorTime returns the CPU time of this process so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// TestImportsTakeBoundedMemoryAndTime imports each costly file in a separate process.
func TestImportsTakeBoundedMemoryAndTime(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	if testkit.RaceDetector {
		t.Skip("it measures time and memory, so scripts/run-tests runs it without the race detector")
	}
	for name := range costly {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), os.Args[0])
			command.Env = append(os.Environ(), costOf+"="+name)
			data, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got cost
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			most := max(mostTime, time.Duration(float64(mostTime)*float64(got.Yardstick)/float64(usualYardstick)))
			t.Logf("%d MB, %v of %v, yardstick %v: %.150s", got.Memory>>20, got.Time.Round(10*time.Millisecond), most, got.Yardstick, got.Result)
			if got.Memory > mostMemory || got.Time > most {
				t.Errorf("it took %d MB and %v, more than %d MB or %v", got.Memory>>20, got.Time, mostMemory>>20, most)
			}
		})
	}
}

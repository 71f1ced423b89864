package enginelog

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

// parquetOf writes a file as engines' loggers do.
func parquetOf[T any](t testing.TB, rows []T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pq.NewGenericWriter[T](&b)
	for page := range slices.Chunk(rows, 100) { // row groups of their own
		if _, err := w.Write(page); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type metrics struct {
	Step   int64    `parquet:"step"`
	KL     *float64 `parquet:"kl,optional"`
	Reward float32  `parquet:"reward"`
	Run    string   `parquet:"run,dict"`
	Done   bool     `parquet:"done"`
	Losses []int32  `parquet:"losses,list"`
}

func TestParquet(t *testing.T) {
	kl, nan, inf := 0.25, math.NaN(), math.Inf(-1)
	in := []metrics{{0, &kl, 0.5, "a\"b", true, []int32{1, 2}}, {1, nil, 1, "", false, nil}, {2, &nan, 0, "c", false, []int32{3}}, {3, &inf, 0, "c", false, nil}}
	got, err := all(t, "a.parquet", bytes.NewReader(parquetOf(t, in)))
	want := []string{`1={"done":true,"kl":0.25,"reward":0.5,"run":"a\"b","step":0}`, `2={"done":false,"kl":null,"reward":1,"run":"","step":1}`,
		`3={"done":false,"kl":"NaN","reward":0,"run":"c","step":2}`, `4={"done":false,"kl":"-Infinity","reward":0,"run":"c","step":3}`}
	for i := range got { // what a list holds is no metric, and an empty one reads as null
		got[i] = strings.Replace(got[i], `"losses.list.element":null,`, "", 1)
		got[i] = strings.Replace(got[i], `"losses.list.element":3,`, "", 1)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q, %v", got, want, err)
	}
}

// A log of many rows comes whole and in its order, and one that is not read to its end leaves no process.
func TestParquetOfManyRows(t *testing.T) {
	in := make([]metrics, 5000)
	for i := range in {
		in[i] = metrics{Step: int64(i), Run: "r"}
	}
	b := parquetOf(t, in)
	got, err := all(t, "log", bytes.NewReader(b)) // by its first bytes, whatever it is called
	if err != nil || len(got) != len(in) || !strings.Contains(got[4999], `"step":4999`) {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	r, err := Open("a.parquet", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Error(err)
	}
	r.Close()
	r.Close()
}

// Whatever a damaged file makes of the library, it is an error of that file.
func TestDamagedParquet(t *testing.T) {
	in := make([]metrics, 300)
	for i := range in {
		in[i] = metrics{Step: int64(i), Run: strings.Repeat("r", i%7)}
	}
	good := parquetOf(t, in)
	files := map[string][]byte{"empty": nil, "a mark alone": []byte("PAR1"), "two marks": []byte("PAR1PAR1"), "cut": good[:len(good)/2], "no end": good[:len(good)-4],
		"a footer of 4 GiB": append(slices.Clone(good[:len(good)-8]), 0xff, 0xff, 0xff, 0xff, 'P', 'A', 'R', '1')}
	for name, b := range files {
		got, err := all(t, "a.parquet", bytes.NewReader(b))
		var f *FormatError
		if !errors.As(err, &f) || len(got) > 0 {
			t.Errorf("%s: %d rows, %v", name, len(got), err)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		b := slices.Clone(good)
		for range 1 + r.IntN(4) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		_, err := all(t, "a.parquet", bytes.NewReader(b)) // some flips harm nothing
		var f *FormatError
		if err != nil && !errors.As(err, &f) {
			t.Errorf("an error of another type: %v", err)
		}
	}
}

// What a process said before it ended is told; what a runtime says that breaks down is not.
func TestWhyAProcessEnded(t *testing.T) {
	failed := errors.New("exit status 2")
	for said, want := range map[string]string{"no Parquet file: x\n": "no Parquet file: x", "": "more memory or time", "fatal error: out of memory\ngoroutine 1\n": "more memory or time"} {
		c := &child{said: bytes.NewBufferString(said)}
		if got := c.why(failed); !strings.Contains(got, want) {
			t.Errorf("%q: %q", said, got)
		}
	}
}

// hungry is a process that takes a gigabyte where it may have a quarter of one.
func hungry() {
	if os.Args[0] != "hungry" {
		return
	}
	if err := confine(256<<20, 10); err != nil {
		os.Exit(3)
	}
	var kept [][]byte
	for range 16 {
		b := make([]byte, 64<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	os.Exit(len(kept)) // it had them all
}

func TestMemoryIsBounded(t *testing.T) {
	if raced {
		t.Skip("the race detector's own memory is larger than any bound")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Args = []string{"hungry"}
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code == 16 || code == 3 || err == nil {
		t.Errorf("it ended with %d: %v, %.300s", code, err, said.String())
	}
}

func TestATextOnlyLimit(t *testing.T) {
	var b bytes.Buffer
	w := &limited{&b}
	for range 3 {
		if n, err := w.Write(make([]byte, 3000)); n != 3000 || err != nil {
			t.Fatal(n, err)
		}
	}
	if b.Len() != 4096 {
		t.Errorf("%d bytes are kept", b.Len())
	}
}

func TestInitOfAnotherProgram(t *testing.T) {
	if os.Args[0] == parquetName {
		t.Fatal("Init came back")
	}
	Init() // of a program that is no reader it does nothing
}

func FuzzParquet(f *testing.F) {
	f.Add(parquetOf(f, []metrics{{Step: 1, Run: "a"}, {Step: 2, Losses: []int32{1}}}))
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var bad *FormatError
		if _, err := all(t, "x.parquet", bytes.NewReader(in)); err != nil && !errors.As(err, &bad) {
			t.Errorf("an error of another type: %v", err)
		}
	})
}

package residence

import (
	"strings"
	"testing"
)

// Everything must go on as before: code, constants and strings come back from the file.
func TestTrim(t *testing.T) {
	before := strings.Repeat("constants stay ", 3)
	for range 3 {
		if err := Trim(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Repeat("constants stay ", 3); got != before {
			t.Fatalf("%q", got)
		}
	}
}

func TestClean(t *testing.T) {
	tests := []struct {
		name, head, anonymous string
		want                  bool
	}{
		{"code", "00402000-01e75000 r-xp 00002000 fe:00 12 /bin/p", "0", true},
		{"constants", "01e75000-03a63000 r--p 01a75000 fe:00 12 /bin/p", "0", true},
		{"data", "03a64000-05a80000 rw-p 03664000 fe:00 12 /bin/p", "0", false},
		{"relocated by the loader", "03a63000-03a64000 r--p 03663000 fe:00 12 /bin/p", "4", false},
		{"another file", "01e75000-03a63000 r--p 01a75000 fe:00 13 /lib/libc.so", "0", false},
		{"no file", "4eda8400000-4eda9000000 r--p 00000000 00:00 0", "0", false},
		{"nonsense", "zz-yy r--p 0 0 0 /bin/p", "0", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.head + "\nSize:  4 kB\nAnonymous:      " + tt.anonymous + " kB\nVmFlags: rd\n"
			got := clean(strings.NewReader(text), "/bin/p")
			if (len(got) == 1) != tt.want {
				t.Errorf("%v", got)
			}
			if tt.want && (got[0].start == 0 || got[0].size == 0) {
				t.Errorf("%+v", got[0])
			}
		})
	}
}

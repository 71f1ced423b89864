package residence

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Trim unmaps the program's own code and constants. They are clean pages of a file: what is used again comes back from the
// page cache at a fault, and what only the start touched stays away.
func Trim() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the program's file: %w", err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("read the memory map: %w", err)
	}
	defer f.Close()
	for _, r := range clean(f, exe) {
		if err := unix.Madvise(region(r.start, r.size), unix.MADV_DONTNEED); err != nil {
			return fmt.Errorf("unmap %d bytes of %s: %w", r.size, exe, err)
		}
	}
	return nil
}

type mapping struct{ start, size uintptr }

// clean finds the mappings of the program's file that are as the file is: not writable, and without a page of their own.
// The loader writes into some before it protects them (those of a position-independent build); to drop one of them would
// undo its work, so what has a single anonymous page is left alone.
func clean(smaps io.Reader, exe string) []mapping {
	var out []mapping
	var at mapping
	for s := bufio.NewScanner(smaps); s.Scan(); {
		fields := strings.Fields(s.Text())
		switch {
		case len(fields) >= 5 && strings.Contains(fields[0], "-"): // the head of a mapping
			at = mapping{}
			var end uintptr
			if n, err := fmt.Sscanf(fields[0], "%x-%x", &at.start, &end); n != 2 || err != nil || len(fields) < 6 || fields[5] != exe ||
				fields[1] != "r-xp" && fields[1] != "r--p" {
				at.start = 0
			}
			at.size = end - at.start
		case len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" && at.start != 0:
			out = append(out, at)
		}
	}
	return out
}

// region is memory by its address. It is never read or written here: madvise takes the range only.
func region(start, size uintptr) []byte {
	p := *(*unsafe.Pointer)(unsafe.Pointer(&start)) // an address from the kernel, not from Go's heap
	return unsafe.Slice((*byte)(p), size)
}

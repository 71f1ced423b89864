package ledger_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/provenir/provenir/ledger"
)

// A record's leaf and its place in the tree, as any other implementation must compute them.
func ExampleEntry() {
	first := ledger.NewEntry(0, ledger.RunOpen, []byte("open"))
	leaf, chain := first.Hashes(ledger.Hash{})
	var tree ledger.Tree
	tree.Append(leaf)
	fmt.Printf("leaf %x…\nchain %x…\nroot equals leaf: %v\n", leaf[:4], chain[:4], tree.Root() == leaf)
	// Output:
	// leaf 5e2b4b20…
	// chain 430038d7…
	// root equals leaf: true
}

// An auditor checks a plain copy of a log's folder. Without a key nothing is said about who signed it.
func ExampleVerify() {
	segment := ledger.Header{Log: ledger.Events}.AppendBinary(nil)
	var chain ledger.Hash
	for seq, payload := range []string{"open", "step"} {
		frame := ledger.Frame{Entry: ledger.NewEntry(uint64(seq), ledger.RunOpen, []byte(payload)), Prev: chain, Stored: []byte(payload)}
		segment = ledger.AppendFrame(segment, &frame)
		chain = frame.Chain(chain)
	}
	segment[ledger.HeaderSize+ledger.FrameHeaderSize] ^= 1 // somebody edits a byte

	folder := fstest.MapFS{ledger.SegmentName(0): {Data: segment}} // os.DirFS("…/events") for a real one
	report, err := ledger.Verify(context.Background(), folder, ledger.VerifyOptions{})
	if err != nil {
		fmt.Println("could not be checked:", err)
		return
	}
	fmt.Println("ok:", report.OK(), "signature:", report.Signature)
	for _, d := range report.Damages {
		fmt.Println(d.Kind)
	}
	// Output:
	// ok: false signature: absent
	// checkpoint_missing
	// flipped_bits
}

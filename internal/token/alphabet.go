package token

// byteRune is GPT-2's printable alphabet for bytes: printable Latin-1 stands for itself, the other 68 values follow from
// U+0100 on. Byte-level vocabularies are written in it.
var byteRune = func() (out [256]rune) {
	next := rune(0x100)
	for b := range 256 {
		if (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff) {
			out[b] = rune(b)
			continue
		}
		out[b] = next
		next++
	}
	return out
}()

// runeByte is the way back.
var runeByte = func() map[rune]byte {
	m := make(map[rune]byte, 256)
	for b, r := range byteRune {
		m[r] = byte(b)
	}
	return m
}()

package idgen

// Tracked tells whether an id is one of a run that a tracker records. Its first bit is set, which no id of ours has before
// the year 6429: so a tracker can never be taken for the writer of a run of the mesh, whatever it sends.
func Tracked(id string) bool {
	b, ok := Bytes(id)
	return ok && b[0]&0x80 != 0
}

// Time is the id's time in milliseconds since 1970, by which ids of both kinds are compared.
func Time(id string) (ms uint64, ok bool) {
	b, ok := Bytes(id)
	if !ok {
		return 0, false
	}
	for _, c := range b[:6] {
		ms = ms<<8 | uint64(c)
	}
	return ms &^ (1 << 47), true
}

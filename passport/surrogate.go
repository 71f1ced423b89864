package passport

import "strconv"

// loneSurrogate finds \ud800 to \udfff escapes without their other half; encoding/json would turn them into U+FFFD.
func loneSurrogate(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			continue
		}
		if b[i+1] != 'u' {
			i++
			continue
		}
		high, ok := hex4(b[min(i+2, len(b)):])
		if !ok || high < 0xd800 || high > 0xdfff {
			i++
			continue
		}
		if high >= 0xdc00 || i+7 >= len(b) || b[i+6] != '\\' || b[i+7] != 'u' {
			return true
		}
		low, ok := hex4(b[i+8:])
		if !ok || low < 0xdc00 || low > 0xdfff {
			return true
		}
		i += 11
	}
	return false
}

func hex4(b []byte) (uint64, bool) {
	if len(b) < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return v, err == nil
}

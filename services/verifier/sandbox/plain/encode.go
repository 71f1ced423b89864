package plain

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
)

// Append writes a value that Go made. Objects of a candidate are not among them, and nesting is the caller's: literals of
// tests are bounded when they are parsed.
func Append(b []byte, v Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, 'N'), nil
	case bool:
		if v {
			return append(b, 'T'), nil
		}
		return append(b, 'F'), nil
	case int64:
		return appendInt(b, v), nil
	case *big.Int:
		return appendLong(b, v), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, 'g'), math.Float64bits(v)), nil
	case complex128:
		b = binary.LittleEndian.AppendUint64(append(b, 'y'), math.Float64bits(real(v)))
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(imag(v))), nil
	case Str:
		return appendText(append(b, 'u'), string(v)), nil
	case Bytes:
		return appendText(append(b, 's'), string(v)), nil
	case List:
		return appendItems(append(b, '['), v)
	case Tuple:
		return appendItems(append(b, '('), v)
	case Set:
		return appendItems(append(b, '<'), v)
	case FrozenSet:
		return appendItems(append(b, '>'), v)
	case Dict:
		b = append(b, '{')
		for _, p := range v {
			var err error
			if b, err = Append(b, p.Key); err != nil {
				return nil, err
			}
			if b, err = Append(b, p.Value); err != nil {
				return nil, err
			}
		}
		return append(b, '0'), nil
	default:
		return nil, fmt.Errorf("encode a %T: only plain data is sent", v)
	}
}

func appendItems(b []byte, items []Value) ([]byte, error) {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(items)))
	var err error
	for _, i := range items {
		if b, err = Append(b, i); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

func appendInt(b []byte, v int64) []byte {
	if v >= math.MinInt32 && v <= math.MaxInt32 {
		return binary.LittleEndian.AppendUint32(append(b, 'i'), uint32(int32(v)))
	}
	return appendLong(b, big.NewInt(v))
}

func appendLong(b []byte, v *big.Int) []byte {
	var digits []byte
	rest, low, mask := new(big.Int).Abs(v), new(big.Int), big.NewInt(0x7fff)
	n := int32(0)
	for ; rest.Sign() != 0; n++ {
		low.And(rest, mask)
		digits = binary.LittleEndian.AppendUint16(digits, uint16(low.Uint64()))
		rest.Rsh(rest, 15)
	}
	if v.Sign() < 0 {
		n = -n
	}
	return append(binary.LittleEndian.AppendUint32(append(b, 'l'), uint32(n)), digits...)
}

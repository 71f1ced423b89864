package plain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// Limits of a message.
const (
	MaxMessage = 8 << 20 // bytes
	MaxDepth   = 200
	maxNodes   = 1 << 20
	maxDigits  = 1 << 18 // 15-bit digits of an integer: about a million decimal ones
)

// ErrMalformed is a message that is not plain data within the limits.
var ErrMalformed = errors.New("malformed plain data")

func malformed(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, a...))
}

// frame is a container that still waits for items.
type frame struct {
	code  byte
	want  int // items still to come; -1 for a dict, which ends with a code
	items []Value
	kind  string // of Other
}

type decoder struct {
	b     []byte
	stack []frame
	nodes int
}

// Decode reads one value that takes up all of b.
func Decode(b []byte) (Value, error) {
	if len(b) > MaxMessage {
		return nil, malformed("%d bytes", len(b))
	}
	d := decoder{b: b}
	for {
		v, complete, err := d.next()
		if err != nil {
			return nil, err
		}
		for complete {
			if len(d.stack) == 0 {
				if len(d.b) != 0 {
					return nil, malformed("%d bytes after the value", len(d.b))
				}
				return v, nil
			}
			top := &d.stack[len(d.stack)-1]
			top.items = append(top.items, v)
			if top.want > 0 {
				top.want--
			}
			if top.want != 0 {
				break
			}
			if v, err = top.close(); err != nil {
				return nil, err
			}
			d.stack = d.stack[:len(d.stack)-1]
		}
	}
}

func (f *frame) close() (Value, error) {
	switch f.code {
	case '[':
		return List(f.items), nil
	case '(':
		return Tuple(f.items), nil
	case '<':
		return Set(f.items), nil
	case '>':
		return FrozenSet(f.items), nil
	case 'E':
		return Other{f.kind, f.items[0]}, nil
	default: // '{'
		if len(f.items)%2 != 0 {
			return nil, malformed("a dict with a key and no value")
		}
		out := make(Dict, 0, len(f.items)/2)
		for i := 0; i < len(f.items); i += 2 {
			out = append(out, Pair{f.items[i], f.items[i+1]})
		}
		return out, nil
	}
}

// next reads a leaf, opens a container, or closes a dict. complete is false where a container was opened.
func (d *decoder) next() (v Value, complete bool, err error) {
	if d.nodes++; d.nodes > maxNodes {
		return nil, false, malformed("more than %d values", maxNodes)
	}
	head, err := d.take(1)
	if err != nil {
		return nil, false, err
	}
	switch code := head[0]; code {
	case '[', '(', '<', '>':
		n, err := d.length(1)
		if err != nil {
			return nil, false, err
		}
		f := frame{code: code, want: n, items: make([]Value, 0, min(n, 1024))}
		if n == 0 {
			v, err = f.close()
			return v, true, err
		}
		return nil, false, d.open(f)
	case '{':
		return nil, false, d.open(frame{code: code, want: -1})
	case 'E':
		kind, err := d.text()
		if err != nil {
			return nil, false, err
		}
		return nil, false, d.open(frame{code: code, want: 1, kind: kind})
	case '0':
		if len(d.stack) == 0 || d.stack[len(d.stack)-1].code != '{' {
			return nil, false, malformed("an end without a dict")
		}
		v, err = d.stack[len(d.stack)-1].close()
		d.stack = d.stack[:len(d.stack)-1]
		return v, true, err
	default:
		v, err = d.leaf(code)
		return v, true, err
	}
}

func (d *decoder) open(f frame) error {
	if len(d.stack) == MaxDepth {
		return malformed("deeper than %d", MaxDepth)
	}
	d.stack = append(d.stack, f)
	return nil
}

func (d *decoder) leaf(code byte) (Value, error) {
	switch code {
	case 'N':
		return nil, nil
	case 'T', 'F':
		return code == 'T', nil
	case 'i':
		b, err := d.take(4)
		if err != nil {
			return nil, err
		}
		return int64(int32(binary.LittleEndian.Uint32(b))), nil
	case 'l':
		return d.long()
	case 'g':
		return d.float()
	case 'y':
		re, err := d.float()
		if err != nil {
			return nil, err
		}
		im, err := d.float()
		return complex(re, im), err
	case 'u':
		s, err := d.text()
		return Str(s), err
	case 's':
		s, err := d.text()
		return Bytes(s), err
	case '.':
		return Object{Flags: Inert, Type: "ellipsis"}, nil
	case 'H':
		return d.object()
	default:
		return nil, malformed("code %q", code)
	}
}

func (d *decoder) object() (Value, error) {
	b, err := d.take(9)
	if err != nil {
		return nil, err
	}
	o := Object{ID: int64(binary.LittleEndian.Uint64(b)), Flags: ObjectFlags(b[8])}
	if o.Type, err = d.text(); err != nil {
		return nil, err
	}
	if len(o.Type) > 256 {
		return nil, malformed("a type name of %d bytes", len(o.Type))
	}
	return o, nil
}

func (d *decoder) take(n int) ([]byte, error) {
	if len(d.b) < n {
		return nil, malformed("cut short")
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out, nil
}

// length reads a count of things that take at least size bytes each, so that a short message cannot ask for much memory.
func (d *decoder) length(size int) (int, error) {
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	if n < 0 || n*int64(size) > int64(len(d.b)) {
		return 0, malformed("length %d", n)
	}
	return int(n), nil
}

func (d *decoder) text() (string, error) {
	n, err := d.length(1)
	if err != nil {
		return "", err
	}
	b, err := d.take(n)
	return string(b), err
}

func (d *decoder) float() (float64, error) {
	b, err := d.take(8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}

// long reads an integer in digits of 15 bits, lowest first; a negative count is a negative number.
func (d *decoder) long() (Value, error) {
	b, err := d.take(4)
	if err != nil {
		return nil, err
	}
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	negative := n < 0
	if negative {
		n = -n
	}
	if n > maxDigits {
		return nil, malformed("an integer of %d digits of 15 bits", n)
	}
	digits, err := d.take(int(n) * 2)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, (int(n)*15+7)/8) // big endian
	for i := range int(n) {
		digit := uint32(binary.LittleEndian.Uint16(digits[2*i:]))
		if digit > 0x7fff {
			return nil, malformed("a digit above 15 bits")
		}
		for bit := i * 15; digit != 0; bit, digit = bit+1, digit>>1 {
			if digit&1 == 1 {
				raw[len(raw)-1-bit/8] |= 1 << (bit % 8)
			}
		}
	}
	out := new(big.Int).SetBytes(raw)
	if negative {
		out.Neg(out)
	}
	return Int(out), nil
}

// Int gives an integer in its only form: int64 where it fits.
func Int(i *big.Int) Value {
	if i.IsInt64() {
		return i.Int64()
	}
	return i
}

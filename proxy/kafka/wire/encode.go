package wire

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// AppendUvarint appends an unsigned variable-length integer of at most 31 bits.
func AppendUvarint(dst []byte, n int) []byte {
	return binary.AppendUvarint(dst, uint64(n))
}

// UvarintLen is how many bytes [AppendUvarint] takes for n.
func UvarintLen(n int) int {
	return (bits.Len32(uint32(n)|1) + 6) / 7
}

// Uvarint reads what [AppendUvarint] writes. The size is 0 if b ends too early, -1 if the value takes more than 31 bits:
// no length does, and readers disagree on what it then means.
func Uvarint(b []byte) (n, size int) {
	var x uint64
	for i := range min(len(b), 5) {
		x |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if x > math.MaxInt32 {
				return 0, -1
			}
			return int(x), i + 1
		}
	}
	if len(b) >= 5 {
		return 0, -1
	}
	return 0, 0
}

// AppendCount appends the length of an array; -1 is null.
func AppendCount(dst []byte, flexible bool, n int) []byte {
	if flexible {
		return AppendUvarint(dst, n+1)
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}

// Count reads what [AppendCount] writes, from bytes that were checked.
func Count(b []byte, flexible bool) (n, size int) {
	if flexible {
		n, size = Uvarint(b)
		return n - 1, size
	}
	return int(int32(binary.BigEndian.Uint32(b))), 4
}

// AppendString appends a string of at most 32767 bytes.
func AppendString(dst []byte, flexible bool, s string) []byte {
	if flexible {
		dst = AppendUvarint(dst, len(s)+1)
	} else {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	}
	return append(dst, s...)
}

// AppendNullString appends the null string.
func AppendNullString(dst []byte, flexible bool) []byte {
	if flexible {
		return append(dst, 0)
	}
	return append(dst, 0xff, 0xff)
}

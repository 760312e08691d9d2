package wire

// What [Varint] says of an integer that is none.
const (
	tooLong    = -1 // it goes on after four bytes
	notMinimal = -2 // fewer bytes would do: readers disagree on what it means
)

// Varint reads a variable byte integer (MQTT 5 section 1.5.5). The size is 0 if b ends too early and negative if it is
// longer than four bytes, or longer than it needs to be: the specification forbids both.
func Varint(b []byte) (n, size int) {
	for i := range min(len(b), 4) {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if i > 0 && b[i] == 0 {
				return 0, notMinimal
			}
			return n, i + 1
		}
	}
	if len(b) >= 4 {
		return 0, tooLong
	}
	return 0, 0
}

// AppendVarint appends a variable byte integer of at most [MaxRemaining].
func AppendVarint(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// VarintLen is how many bytes [AppendVarint] takes for n.
func VarintLen(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	}
	return 4
}

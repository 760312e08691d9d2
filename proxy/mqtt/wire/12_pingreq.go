package wire

// The whole of a PINGREQ and of a PINGRESP, in every version.
const (
	Pingreq  = "\xC0\x00"
	Pingresp = "\xD0\x00"
)

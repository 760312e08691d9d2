package wire

// MaxRemaining is the most bytes that can follow a fixed header: 256 MiB less one (MQTT 5 section 2.1.4).
const MaxRemaining = 268_435_455

// Header is the fixed header of a packet.
type Header struct {
	Type      Type
	Flags     byte // the lower four bits of the first byte
	Size      int  // bytes of the header itself: 2 to 5; 0 while they have not all arrived
	Remaining int  // bytes of the body
}

// Len is how many bytes the whole packet has, header included.
func (h Header) Len() int { return h.Size + h.Remaining }

// Stream is one direction of a connection.
type Stream struct {
	Version Version // 0 before the CONNECT
	From    Sender
	Max     int // bytes of a whole packet, header included, as MQTT 5 counts its Maximum Packet Size; 0: no limit
}

// Scan reads the fixed header of the packet that begins b, and judges it before any of its body is at hand: its type and
// who sends it, the flags, the length. Exactly one of these holds:
//
//   - the error is nil: b[:h.Len()] is the whole packet, and b[h.Size:h.Len()] its body;
//   - the error is [ErrShort]: more bytes are needed, h.Len() in all if h.Size is not 0. h.Type is set from the first
//     byte on;
//   - the error is a [*Malformed]: nothing that could follow makes it a packet.
//
// It allocates only to refuse.
func (s Stream) Scan(b []byte) (h Header, err error) {
	if len(b) == 0 {
		return h, ErrShort
	}
	h.Type, h.Flags = Type(b[0]>>4), b[0]&15
	if code, reason := s.first(h); reason != "" {
		return h, &Malformed{Packet: h.Type, Reason: reason, Code: code}
	}
	remaining, n := Varint(b[1:])
	switch {
	case n == 0:
		return h, ErrShort
	case n == notMinimal:
		return h, &Malformed{Packet: h.Type, Reason: reasonMinimal, Code: MalformedPacket}
	case n < 0:
		return h, &Malformed{Packet: h.Type, Reason: reasonVarint, Code: MalformedPacket}
	}
	h.Size, h.Remaining = 1+n, remaining
	if s.Max > 0 && h.Len() > s.Max {
		return h, &Malformed{Packet: h.Type, Reason: reasonLimit, Code: PacketTooLarge}
	}
	if !s.possible(h) {
		return h, &Malformed{Packet: h.Type, Reason: reasonLength, Code: MalformedPacket}
	}
	if len(b) < h.Len() {
		return h, ErrShort
	}
	return h, nil
}

// The packets that each side may send.
var (
	fromClient = in(CONNECT, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT, AUTH)
	fromServer = in(CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP, DISCONNECT, AUTH)
)

// first judges the first byte. The reason is empty if it is good.
func (s Stream) first(h Header) (ReasonCode, string) {
	if h.Type == 0 {
		return MalformedPacket, reasonType
	}
	if h.Type == PUBLISH { // the commonest, from both sides
		switch qos := h.Flags >> 1 & 3; {
		case qos == 3:
			return MalformedPacket, reasonQoS
		case qos == 0 && h.Flags&flagDup != 0 && s.Version != V31:
			return MalformedPacket, reasonDup
		}
		return 0, ""
	}
	may := fromClient
	if s.From == Server {
		may = fromServer
		if s.Version != V5 {
			may &^= 1 << DISCONNECT
		}
	}
	switch {
	case h.Type == AUTH && s.Version != V5:
		return MalformedPacket, reasonVersion
	case may>>h.Type&1 == 0:
		return ProtocolError, reasonSender
	case !s.flags(h):
		return MalformedPacket, reasonFlags
	}
	return 0, ""
}

// flags judges the flags of all packets but PUBLISH: they are fixed (MQTT 5 section 2.1.3). In 3.1 what is sent again
// says so with the DUP flag (MQTT 3.1 section 2.1).
func (s Stream) flags(h Header) bool {
	switch h.Type {
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		return h.Flags == 2 || h.Flags == 10 && s.Version == V31
	}
	return h.Flags == 0
}

// possible judges the length: what the shortest packet of the type has, and where there is only one length, this one.
func (s Stream) possible(h Header) bool {
	v5 := s.Version == V5
	switch h.Type {
	case CONNECT:
		return h.Remaining >= 12 // "MQTT" or longer, level, flags, keep alive, client id
	case CONNACK:
		return h.Remaining == 2 || v5 && h.Remaining > 2
	case PUBLISH:
		return h.Remaining >= 2+int(min(h.Flags>>1&3, 1))*2
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		return h.Remaining == 2 || v5 && h.Remaining > 2
	case UNSUBACK:
		return h.Remaining == 2 && !v5 || v5 && h.Remaining >= 4
	case SUBSCRIBE, UNSUBSCRIBE:
		return h.Remaining > 4 // the packet id, and a filter of one byte
	case SUBACK:
		return h.Remaining > 2
	case PINGREQ, PINGRESP:
		return h.Remaining == 0
	case DISCONNECT:
		return h.Remaining == 0 || v5
	}
	return true
}

// appendHeader appends a fixed header.
func appendHeader(dst []byte, t Type, flags byte, remaining int) []byte {
	return AppendVarint(append(dst, byte(t)<<4|flags), remaining)
}

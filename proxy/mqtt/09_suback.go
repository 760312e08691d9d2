package mqtt

import (
	"sync"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// maxGrants is how many SUBSCRIBEs that were denied in part may wait for the broker's answer.
const maxGrants = 64

// grants are the codes of SUBSCRIBEs that were denied in part, by packet identifier. Both pumps use them.
type grants struct {
	mu    sync.Mutex
	codes map[uint16][]byte
}

// add notes the codes of a SUBSCRIBE. False: there are as many as may be, or one of that identifier.
func (g *grants) add(id uint16, codes []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, in := g.codes[id]; in || len(g.codes) >= maxGrants {
		return false
	}
	if g.codes == nil {
		g.codes = make(map[uint16][]byte)
	}
	g.codes[id] = codes
	return true
}

// take returns the codes of a SUBSCRIBE and forgets them; nil: all of it was the broker's.
func (g *grants) take(id uint16) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	codes := g.codes[id]
	delete(g.codes, id)
	return codes
}

// granted merges the broker's answer with the gateway's own codes.
func (c *connection) granted(h wire.Header, body []byte) (edit, error) {
	s, err := wire.DecodeSuback(h.Type, body, c.version)
	if err != nil || h.Type == wire.UNSUBACK {
		return edit{}, err
	}
	codes := c.grants.take(s.PacketID)
	if codes == nil {
		return edit{}, nil
	}
	theirs := s.Codes
	for i, code := range codes {
		if code != forBroker {
			continue
		}
		if len(theirs) == 0 {
			return edit{}, errCount
		}
		codes[i], theirs = theirs[0], theirs[1:]
	}
	if len(theirs) > 0 {
		return edit{}, errCount
	}
	s.Codes = codes
	return edit{skip: h.Len(), head: s.Append(nil, c.version)}, nil
}

// errCount is a SUBACK that does not fit what was asked.
var errCount = &wire.Malformed{Packet: wire.SUBACK, Reason: "another number of codes than there were filters", Code: wire.ProtocolError}

package address

import (
	"bytes"
	"encoding/binary"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// Resource types of DescribeConfigs whose configurations are a broker's (org.apache.kafka.common.config.ConfigResource).
const (
	resourceTopic         = 2
	resourceClientMetrics = 16
	resourceGroup         = 32
)

// addressConfigs are the settings of a broker that hold addresses, without a listener's prefix
// (listener.name.NAME.…); those ending in a dot are prefixes. Old names are those of Kafka 3.
var addressConfigs = [][]byte{
	[]byte("advertised.listeners"), []byte("listeners"),
	[]byte("controller.quorum.voters"), []byte("controller.quorum.bootstrap.servers"),
	[]byte("advertised.host.name"), []byte("advertised.port"), []byte("host.name"), []byte("port"),
	[]byte("zookeeper.connect"), []byte("rlmm.config."), []byte("bootstrap.servers"),
}

// HideConfigs empties the addresses among the configurations of brokers in a response to DescribeConfigs, synonyms
// included. Payload, frame and error are those of [Rewrite].
func HideConfigs(version int16, payload []byte) (frame []byte, err error) {
	const key = 32
	_, n, err := wire.ParseResponseHeader(key, version, payload)
	if err != nil {
		return nil, err
	}
	s := wire.Response(key, version)
	if err := s.Check(payload[n:]); err != nil {
		return nil, err
	}
	e := editor{body: payload[n:], handle: hide}
	return e.frame(s, payload[:n])
}

func hide(e *editor, f *wire.Field) action {
	switch f.Path {
	case "Results", "Results.Configs.Synonyms":
		return enter
	case "Results.ResourceType":
		switch e.body[e.off] {
		case resourceTopic, resourceClientMetrics, resourceGroup:
			e.broker = false
		default: // brokers, their loggers, and what later versions of Kafka add
			e.broker = true
		}
	case "Results.Configs":
		if e.broker {
			return enter
		}
	case "Results.Configs.Name", "Results.Configs.Synonyms.Name":
		e.secret = isAddress(e.content(f))
	case "Results.Configs.Value", "Results.Configs.Synonyms.Value":
		if e.secret && len(e.content(f)) > 0 {
			e.writeString(f, "")
			return done
		}
	}
	return keep
}

// content is the string at the editor's place, without its length.
func (e *editor) content(f *wire.Field) []byte {
	field := e.body[e.off:f.End(e.body, e.off)]
	if f.Flexible() {
		_, size := wire.Uvarint(field)
		return field[size:]
	}
	if int16(binary.BigEndian.Uint16(field)) < 0 {
		return nil
	}
	return field[2:]
}

func isAddress(name []byte) bool {
	if rest, ok := bytes.CutPrefix(name, []byte("listener.name.")); ok {
		if _, rest, ok = bytes.Cut(rest, []byte(".")); ok {
			name = rest
		}
	}
	for _, a := range addressConfigs {
		if bytes.Equal(name, a) || a[len(a)-1] == '.' && bytes.HasPrefix(name, a) {
			return true
		}
	}
	return bytes.HasSuffix(name, []byte(".bootstrap.servers"))
}

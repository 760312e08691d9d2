package address_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

func TestAddressesOfBrokerConfigsAreEmptied(t *testing.T) {
	hidden := []string{
		"advertised.listeners", "listeners", "controller.quorum.voters", "controller.quorum.bootstrap.servers",
		"zookeeper.connect", "listener.name.sasl.advertised.listeners", "rlmm.config.remote.log.metadata.common.client.bootstrap.servers",
		"metrics.reporter.bootstrap.servers",
	}
	shown := []string{"log.dirs", "listener.security.protocol.map", "broker.id", "controller.listener.names", "bootstrap.servers.count"}
	for version := int16(0); version <= wire.Max(32); version++ {
		m := kmsg.NewPtrDescribeConfigsResponse()
		m.Version = version
		for _, kind := range []kmsg.ConfigResourceType{kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeTopic} {
			r := kmsg.NewDescribeConfigsResponseResource()
			r.ResourceType, r.ResourceName = kind, "1"
			for _, name := range append(append([]string{}, hidden...), shown...) {
				c := kmsg.NewDescribeConfigsResponseResourceConfig()
				c.Name, c.Value = name, kmsg.StringPtr("kafka-1:9092")
				s := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
				s.Name, s.Value = name, kmsg.StringPtr("kafka-1:9092")
				c.ConfigSynonyms = append(c.ConfigSynonyms, s)
				null := kmsg.NewDescribeConfigsResponseResourceConfig()
				null.Name = name
				r.Configs = append(r.Configs, c, null)
			}
			m.Resources = append(m.Resources, r)
		}
		frame, err := address.HideConfigs(version, payload(32, version, m.AppendTo(nil)))
		if err != nil || frame == nil {
			t.Fatalf("v%d: %v", version, err)
		}
		got := decode(t, 32, version, frame[4:]).(*kmsg.DescribeConfigsResponse)
		for i, r := range got.Resources {
			for j, c := range r.Configs {
				want := m.Resources[i].Configs[j]
				if want.Value == nil {
					if c.Value != nil {
						t.Errorf("v%d: null became %q", version, *c.Value)
					}
					continue
				}
				value := "kafka-1:9092"
				if i == 0 && j/2 < len(hidden) {
					value = ""
				}
				if c.Name != want.Name || *c.Value != value || version >= 1 && *c.ConfigSynonyms[0].Value != value {
					t.Errorf("v%d: %s of resource %d is %q, want %q", version, c.Name, i, *c.Value, value)
				}
			}
		}
	}
}

func TestConfigsWithoutAddressesPassUntouched(t *testing.T) {
	m := kmsg.NewPtrDescribeConfigsResponse()
	r := kmsg.NewDescribeConfigsResponseResource()
	r.ResourceType = kmsg.ConfigResourceTypeTopic
	m.Resources = append(m.Resources, r)
	if frame, err := address.HideConfigs(0, payload(32, 0, m.AppendTo(nil))); frame != nil || err != nil {
		t.Errorf("%x %v", frame, err)
	}
}

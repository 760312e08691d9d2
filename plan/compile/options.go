package compile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/settings"
)

// Options are what the command line adds to the settings. Keys of the maps are server names.
type Options struct {
	Only      []string            // names of the servers to run; empty: all that the settings do not switch off
	Listen    map[string]string   // host:port instead of the settings' listen
	Advertise map[string]string   // host:port instead of the settings' advertise
	Upstream  map[string][]string // host:port of brokers, instead of the settings' bootstrap; of an MQTT broker its address

	// Deployment asks for everything it takes to run: certificates, credentials, upstreams, addresses that do not
	// collide. Without it the document alone is judged. Settings that are given are always judged.
	Deployment bool

	// Stat says whether a file that the settings name can be opened. Nil: files are not looked at.
	Stat func(path string) error
}

// Validate says what is wrong with the options for a document with these servers.
func (o *Options) Validate(servers []string) error {
	named := slices.Concat(o.Only, slices.Collect(maps.Keys(o.Listen)), slices.Collect(maps.Keys(o.Advertise)),
		slices.Collect(maps.Keys(o.Upstream)))
	slices.Sort(named)
	for _, name := range named {
		if !slices.Contains(servers, name) {
			return fmt.Errorf("the document has no server %q: %s", name, has(servers))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Listen)) {
		if _, _, err := settings.SplitAddress(o.Listen[name]); err != nil {
			return fmt.Errorf("listen of server %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Advertise)) {
		if host, _, err := settings.SplitAddress(o.Advertise[name]); err != nil || host == "" {
			return fmt.Errorf("advertise of server %s: %q is not host:port", name, o.Advertise[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Upstream)) {
		for _, broker := range o.Upstream[name] {
			if _, err := settings.SplitBroker(broker); err != nil {
				return fmt.Errorf("upstream of server %s: %w", name, err)
			}
		}
	}
	return nil
}

// has lists the servers of a document, for messages.
func has(servers []string) string {
	if len(servers) == 0 {
		return "it has none"
	}
	return "it has " + strings.Join(servers, ", ")
}

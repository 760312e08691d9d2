package api

import "github.com/asyncgate/asyncgate/policy"

// StreamsGroupDescribe (KIP-1071): a group whose topology has a topic that may not be seen is described without its members
// and its topology, with error 29. From version 1 on there may be a second description of it, by nodes (KIP-1331).
func init() {
	asks[89] = ask{items: "GroupIds", mute: true, each: about{"GroupIds", policy.Group, policy.Describe},
		filter: &filter{always: true, array: "Groups", swap: describedStreams},
		says:   "a group with topics that may not be seen has no members and no topology"}
}

func describedStreams(group item, judge Judge) []byte {
	return unseen(group, judge, func(see func(name []byte)) {
		subtopologies(group, func(sub item) {
			streamsNames(sub, func(t item, field string) { see(t.text(field)) })
		})
		description, ok := group.inner("TopologyDescription")
		if !ok {
			return
		}
		node := func(n item) {
			n.each("SourceTopics", func(name item) { see(name.text("SourceTopics")) })
			if sink := n.text("SinkTopic"); sink != nil {
				see(sink)
			}
		}
		description.each("Subtopologies", func(sub item) { sub.each("Nodes", node) })
		description.each("GlobalStores", func(store item) {
			for _, end := range []string{"Source", "Processor"} {
				if n, ok := store.inner(end); ok {
					node(n)
				}
			}
		})
	})
}

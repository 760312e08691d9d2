package api

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// joining is a StreamsGroupHeartbeat of a member whose topology has those topics.
func joining(source, sink, repartition, changelog, regex string) *kmsg.StreamsGroupHeartbeatRequest {
	sub := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
	sub.SubtopologyID = "0"
	for name, list := range map[string]*[]string{source: &sub.SourceTopics, sink: &sub.RepartitionSinkTopics, regex: &sub.SourceTopicRegex} {
		if name != "" {
			*list = []string{name}
		}
	}
	for name, list := range map[string]*[]kmsg.TopicInfo{repartition: &sub.RepartitionSourceTopics, changelog: &sub.StateChangelogTopics} {
		if name != "" {
			*list = []kmsg.TopicInfo{{Topic: name}}
		}
	}
	r := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	r.Group, r.MemberID = "yes", "m"
	r.Topology = &kmsg.StreamsGroupHeartbeatRequestTopology{Epoch: 1, Subtopologies: []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{sub, sub}}
	return r
}

// Each kind of topic of a topology is asked about; the internal ones twice: a member must be allowed to see them and, for they
// are created, to create them.
func TestStreamsMembersJoinWithTopicsTheyMaySeeAndCreate(t *testing.T) {
	for _, c := range []struct {
		name                                  string
		source, sink, repartition, log, regex string
		code                                  int16 // 0: forwarded
	}{
		{name: "no topology"},
		{name: "all allowed", source: "yes", sink: "yes-r", repartition: "yes-r-new", log: "yes-new"},
		{name: "a source", source: "no", code: 29},
		{name: "a sink", source: "yes", sink: "no", code: 29},
		{name: "a repartition topic", source: "yes", repartition: "no-new", code: 29},
		{name: "a changelog", source: "yes", log: "no-new", code: 29},
		{name: "an internal topic that may be seen and not created", source: "yes", log: "yes", code: 29},
		{name: "a regular expression", source: "yes", regex: "yes.*", code: 42},
		{name: "a regular expression beside what is denied", source: "no", regex: ".*", code: 29},
	} {
		judge := func(q Question) int16 {
			if q.Kind == policy.Topic && string(q.Group) != "yes" && q.Action != policy.Create {
				t.Errorf("%s: asked about %s without the group", c.name, q.Name)
			}
			if q.Action == policy.Create && !bytes.HasSuffix(q.Name, []byte("-new")) {
				return codeTopicAuthorizationFailed
			}
			return byName(q)
		}
		r := joining(c.source, c.sink, c.repartition, c.log, c.regex)
		if c.source == "" {
			r.Topology = nil
		}
		for version := int16(0); version <= Of(88).Max(); version++ {
			r.Version = version
			h := wire.RequestHeader{Key: 88, Version: version}
			body := r.AppendTo(nil)
			if got, want := NamesInternalTopics(h, body), c.repartition+c.log != ""; got != want {
				t.Errorf("%s v%d: names internal topics: %v", c.name, version, got)
			}
			v, err := Ask(h, body, judge, nil)
			if err != nil || v.Forward != nil != (c.code == 0) || v.Why != "" != (c.regex != "" && c.code == 42) {
				t.Errorf("%s v%d: %+v, %v", c.name, version, v, err)
				continue
			}
			if c.code != 0 {
				if got := streamsAnswer(t, version, v.Answer); got != c.code {
					t.Errorf("%s v%d: error %d, want %d", c.name, version, got, c.code)
				}
			}
		}
	}
	r := joining("yes", "", "", "", "")
	r.Group = "no"
	v, err := Ask(wire.RequestHeader{Key: 88}, r.AppendTo(nil), byName, nil)
	if err != nil || streamsAnswer(t, 0, v.Answer) != 30 {
		t.Errorf("a group of somebody else's: %+v, %v", v, err)
	}
}

func streamsAnswer(t *testing.T, version int16, frame []byte) int16 {
	t.Helper()
	_, n, err := wire.ParseResponseHeader(88, version, frame[4:])
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire.DecodeResponse(88, version, frame[4+n:])
	if err != nil {
		t.Fatal(err)
	}
	return r.(*kmsg.StreamsGroupHeartbeatResponse).ErrorCode
}

// A group is described whole or, where one topic of it may not be seen, with nothing but its name and an error.
func TestStreamsGroupsHideWhatMayNotBeSeen(t *testing.T) {
	const sub, global = "Subtopology", "GlobalStore"
	for _, c := range []struct {
		name, in string
		version  int16
		topic    string
		hidden   bool
	}{
		{name: "nothing"},
		{name: "what may be seen", in: "SourceTopics", topic: "yes"},
		{name: "a source", in: "SourceTopics", topic: "no", hidden: true},
		{name: "a sink", in: "RepartitionSinkTopics", topic: "no", hidden: true},
		{name: "a changelog", in: "StateChangelogTopics", topic: "no", hidden: true},
		{name: "a repartition topic", in: "RepartitionSourceTopics", topic: "no", hidden: true},
		{name: "a node that may be seen", version: 1, in: sub, topic: "yes"},
		{name: "a node", version: 1, in: sub, topic: "no", hidden: true},
		{name: "a global store", version: 1, in: global, topic: "no", hidden: true},
	} {
		h := wire.RequestHeader{Key: 89, Version: c.version, Correlation: 1}
		q := kmsg.NewPtrStreamsGroupDescribeRequest()
		q.Version, q.Groups = c.version, []string{"yes"}
		v, err := Ask(h, q.AppendTo(nil), byName, nil)
		if err != nil || v.Change == nil {
			t.Fatalf("%s: %+v, %v", c.name, v, err)
		}
		response := kmsg.NewPtrStreamsGroupDescribeResponse()
		response.Version = c.version
		response.Groups = append(response.Groups, describedWith(c.in, c.topic))
		payload := response.AppendTo(wire.AppendResponseHeader(nil, 89, c.version, 1))
		frame, err := v.Change.Merge(payload)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !c.hidden {
			if !bytes.Equal(frame[4:], payload) {
				t.Errorf("%s: the answer is changed", c.name)
			}
			continue
		}
		_, n, _ := wire.ParseResponseHeader(89, c.version, frame[4:])
		got, err := wire.DecodeResponse(89, c.version, frame[4+n:])
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		g := got.(*kmsg.StreamsGroupDescribeResponse).Groups[0]
		if g.ErrorCode != 29 || g.Group != "yes" || g.ErrorMessage == nil || g.Topology != nil || g.TopologyDescription != nil || len(g.Members) != 0 || g.State != "" {
			t.Errorf("%s: %+v", c.name, g)
		}
	}
}

// describedWith is a group that has a topic in one of the places for it.
func describedWith(in, topic string) kmsg.StreamsGroupDescribeResponseGroup {
	g := kmsg.NewStreamsGroupDescribeResponseGroup()
	g.Group, g.State = "yes", "Stable"
	g.Members = append(g.Members, kmsg.NewStreamsGroupDescribeResponseGroupMember())
	sub := kmsg.NewStreamsGroupDescribeResponseGroupTopologySubtopology()
	info := []kmsg.TopicInfo{{Topic: topic}}
	node := kmsg.TopologyDescriptionNode{SinkTopic: &topic}
	switch in {
	case "SourceTopics":
		sub.SourceTopics = []string{topic}
	case "RepartitionSinkTopics":
		sub.RepartitionSinkTopics = []string{topic}
	case "StateChangelogTopics":
		sub.StateChangelogTopics = info
	case "RepartitionSourceTopics":
		sub.RepartitionSourceTopics = info
	case "Subtopology":
		d := kmsg.StreamsGroupDescribeResponseGroupTopologyDescription{}
		d.Subtopologies = append(d.Subtopologies, kmsg.TopologyDescriptionSubtopology{Nodes: []kmsg.TopologyDescriptionNode{node}})
		g.TopologyDescription = &d
	case "GlobalStore":
		d := kmsg.StreamsGroupDescribeResponseGroupTopologyDescription{}
		store := kmsg.TopologyDescriptionGlobalStore{}
		store.Source.SourceTopics = []string{topic}
		d.GlobalStores = append(d.GlobalStores, store)
		g.TopologyDescription = &d
	}
	g.Topology = &kmsg.StreamsGroupDescribeResponseGroupTopology{Subtopologies: []kmsg.StreamsGroupDescribeResponseGroupTopologySubtopology{sub}}
	return g
}

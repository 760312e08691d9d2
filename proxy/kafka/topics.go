package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// topics knows the topics of the cluster by their ids, from questions of the gateway's own. An id belongs to one topic for
// ever (KIP-516), so that what is known once needs no second look.
type topics struct {
	cluster  *cluster
	upstream *upstream

	mu      sync.RWMutex
	names   map[[16]byte]string
	unknown map[[16]byte]time.Time // when the cluster was asked for it, and had no such topic

	asking sync.Mutex // one question at a time
	last   seed       // the connection for them
	all    []string   // names of all topics, ascending
	at     time.Time  // when they were learned
	closed bool       // connections are not kept any more
}

// What topics may take: ids of deleted topics are never forgotten one by one, and a cluster that names more topics at
// once is not believed. 200,000 is what KRaft is said to carry, with ten partitions or so each.
const (
	maxTopics   = 200_000
	topicsFrame = 256 << 20
	idsAtOnce   = 1000
)

// unknownFor is how long nobody asks again for an id that no topic has: a client may name it with every Fetch. A topic that
// is made meanwhile is unknown for so long; clients ask again for what has just been made.
const (
	unknownFor = time.Second
	maxUnknown = 10_000
)

// topicsVersion is the version of Metadata in which a topic can be asked for by its id (KIP-516).
const topicsVersion = 12

// name returns the topic that has an id.
func (t *topics) name(id [16]byte) (string, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	name, ok := t.names[id]
	return name, ok
}

// learn asks the cluster for the topics of ids that are not known yet. What is not known after it, no topic has; or the
// cluster does not answer.
func (t *topics) learn(ctx context.Context, ids [][16]byte) {
	ids = slices.DeleteFunc(ids, t.told)
	for batch := range slices.Chunk(ids, idsAtOnce) {
		request := kmsg.NewPtrMetadataRequest()
		for _, id := range batch {
			topic := kmsg.NewMetadataRequestTopic()
			topic.TopicID = id
			request.Topics = append(request.Topics, topic)
		}
		t.asking.Lock()
		response, err := t.ask(ctx, request)
		t.asking.Unlock()
		if err != nil {
			return
		}
		t.keep(response)
		t.missed(batch)
	}
}

// told reports whether the cluster need not be asked for an id.
func (t *topics) told(id [16]byte) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	_, known := t.names[id]
	at, missed := t.unknown[id]
	return known || missed && time.Since(at) < unknownFor
}

// missed notes which of the ids that were asked for no topic has.
func (t *topics) missed(ids [][16]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unknown == nil || len(t.unknown) > maxUnknown {
		t.unknown = make(map[[16]byte]time.Time)
	}
	for _, id := range ids {
		if _, known := t.names[id]; known {
			delete(t.unknown, id)
		} else {
			t.unknown[id] = time.Now()
		}
	}
}

// everything returns the names of all topics, ascending, as they were refreshEvery ago at most.
func (t *topics) everything(ctx context.Context) ([]string, error) {
	t.asking.Lock()
	defer t.asking.Unlock()
	if t.all != nil && time.Since(t.at) < refreshEvery {
		return t.all, nil
	}
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = nil // all
	response, err := t.ask(ctx, request)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(response.Topics))
	for i := range response.Topics {
		if topic := &response.Topics[i]; topic.Topic != nil && topic.ErrorCode == codeNone {
			names = append(names, *topic.Topic)
		}
	}
	slices.Sort(names)
	t.all, t.at = names, time.Now()
	t.keep(response)
	return names, nil
}

// keep notes what an answer says of ids.
func (t *topics) keep(response *kmsg.MetadataResponse) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.names == nil || len(t.names) > maxTopics {
		t.names = make(map[[16]byte]string)
	}
	for i := range response.Topics {
		if topic := &response.Topics[i]; topic.Topic != nil && topic.ErrorCode == codeNone && topic.TopicID != [16]byte{} {
			t.names[topic.TopicID] = *topic.Topic
		}
	}
}

// ask sends a Metadata request on the connection of last time, or on a new one. The caller holds asking.
func (t *topics) ask(ctx context.Context, request *kmsg.MetadataRequest) (*kmsg.MetadataResponse, error) {
	if t.closed {
		defer t.last.close()
	}
	if t.last.query == nil || t.last.query.conn.due() {
		t.last.close()
	} else if response, err := t.askOn(ctx, request); err == nil {
		return response, nil
	}
	var err error
	for _, address := range t.cluster.seeds() {
		t.last.close()
		if _, err = t.last.open(ctx, t.upstream, address); err != nil {
			continue
		}
		var response *kmsg.MetadataResponse
		if response, err = t.askOn(ctx, request); err == nil {
			return response, nil
		}
	}
	t.last.close()
	if err == nil {
		err = fmt.Errorf("no broker is known")
	}
	return nil, err
}

func (t *topics) askOn(ctx context.Context, request *kmsg.MetadataRequest) (*kmsg.MetadataResponse, error) {
	s, ok := t.last.versions.keys[int16(kmsg.Metadata)]
	byID := len(request.Topics) > 0
	if !ok || byID && s.max < topicsVersion || s.max < 4 || s.min > topicsVersion {
		return nil, fmt.Errorf("the broker speaks no version of Metadata that this needs")
	}
	request.Version, request.AllowAutoTopicCreation = min(s.max, topicsVersion), false
	t.last.query.ctx = ctx
	body, err := t.last.query.askFor(request, topicsFrame)
	if err != nil {
		return nil, err
	}
	answer, err := wire.DecodeResponse(int16(kmsg.Metadata), request.Version, body)
	if err != nil {
		return nil, err
	}
	response := answer.(*kmsg.MetadataResponse)
	if len(response.Topics) > maxTopics {
		return nil, fmt.Errorf("the broker names %d topics; at most %d can be known", len(response.Topics), maxTopics)
	}
	return response, nil
}

// close ends the connection. Sessions that the front still has go on to ask, on a connection for each question.
func (t *topics) close() {
	t.asking.Lock()
	defer t.asking.Unlock()
	t.last.close()
	t.closed = true
}

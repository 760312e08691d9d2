package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// maxBrokers bounds the brokers of a cluster: each costs a connection and a goroutine. The largest clusters that have been
// heard of have a thousand or two.
const maxBrokers = 4096

// queryFrame bounds what a broker may answer to the gateway's own questions: 500 bytes for each broker there may be.
const queryFrame = 2 << 20

// query asks a broker the gateway's own questions on a connection of its own.
type query struct {
	ctx         context.Context
	conn        *brokerConn
	correlation int32
}

func newQuery(ctx context.Context, conn *brokerConn) *query { return &query{ctx: ctx, conn: conn} }

// ask sends a request and returns the body of the answer. It takes no longer than upstreamTimeout.
func (q *query) ask(request kmsg.Request) (body []byte, err error) {
	return q.askFor(request, queryFrame)
}

// askFor is the same for an answer of so many bytes at most.
func (q *query) askFor(request kmsg.Request, frame int) (body []byte, err error) {
	_ = q.conn.SetDeadline(time.Now().Add(upstreamTimeout))
	stop := context.AfterFunc(q.ctx, func() { _ = q.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	q.correlation++
	key, version := request.Key(), request.GetVersion()
	b := newFrame(64).int16(key).int16(version).int32(q.correlation).string(gatewayClientID)
	if request.IsFlexible() {
		b = b.tags()
	}
	if _, err := q.conn.Write(builder(request.AppendTo(b)).finish()); err != nil {
		return nil, err
	}
	p, err := readLoneFrame(q.conn, frame)
	if err != nil {
		return nil, err
	}
	r := newParser(p)
	if correlation := r.int32(); r.ok && correlation != q.correlation {
		return nil, errors.New("the broker answered another request")
	}
	if wire.ResponseHeaderVersion(key, version) == 1 {
		r.tags()
	}
	if !r.ok {
		return nil, errStructure
	}
	return r.p, nil
}

// apiVersions asks for what the broker supports, in the newest version that it understands.
func (q *query) apiVersions() (*versions, error) {
	for version := int16(maxAPIVersionsVersion); version >= 0; version-- {
		request := kmsg.NewPtrApiVersionsRequest()
		request.Version = version
		request.ClientSoftwareName, request.ClientSoftwareVersion = gatewayClientID, "1"
		body, err := q.ask(request)
		if err != nil {
			return nil, err
		}
		if newParser(body).int16() == codeUnsupportedVersion { // in the body of version 0, whatever was asked
			continue
		}
		answer, err := wire.DecodeResponse(keyAPIVersions, version, body)
		if err != nil {
			return nil, err
		}
		response := answer.(*kmsg.ApiVersionsResponse)
		if response.ErrorCode != codeNone {
			return nil, fmt.Errorf("the broker answered ApiVersions with error %d", response.ErrorCode)
		}
		return learnVersions(response), nil
	}
	return nil, errors.New("the broker understands no version of ApiVersions")
}

// metadataVersion is the highest version of Metadata that the gateway asks with; nothing above it says more of brokers.
const metadataVersion = 9

// brokers asks for the addresses of all brokers of the cluster, and for no topic.
func (q *query) brokers(v *versions) (map[int32]string, error) {
	s, ok := v.keys[int16(kmsg.Metadata)]
	if !ok || s.max < 1 || s.min > metadataVersion {
		return nil, fmt.Errorf("the broker speaks no version of Metadata between 1 and %d", metadataVersion)
	}
	request := kmsg.NewPtrMetadataRequest()
	request.Version = min(s.max, metadataVersion)
	request.Topics = []kmsg.MetadataRequestTopic{} // empty from version 1: none; null would be all
	body, err := q.ask(request)
	if err != nil {
		return nil, err
	}
	answer, err := wire.DecodeResponse(int16(kmsg.Metadata), request.Version, body)
	if err != nil {
		return nil, err
	}
	return addressesOf(answer.(*kmsg.MetadataResponse))
}

// addressesOf is what a cluster says of its brokers, if it can be believed.
func addressesOf(answer *kmsg.MetadataResponse) (map[int32]string, error) {
	switch n := len(answer.Brokers); {
	case n == 0:
		return nil, errors.New("the broker names no brokers")
	case n > maxBrokers:
		return nil, fmt.Errorf("the broker names %d brokers; at most %d can be served", n, maxBrokers)
	}
	brokers := make(map[int32]string, len(answer.Brokers))
	for _, b := range answer.Brokers {
		address, ok := joinAddress(b.Host, b.Port)
		if !ok || b.NodeID < 0 {
			return nil, errors.New("the broker names an address that is none")
		}
		brokers[b.NodeID] = address
	}
	return brokers, nil
}

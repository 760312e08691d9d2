package main

import (
	"fmt"
	"slices"
	"strings"
)

// brokerPorts is how many ports a server gets for its brokers.
const brokerPorts = 100

// assignPorts gives every server a port and a range that no other has. Servers that could be one listener share both.
func (d *draft) assignPorts() {
	taken := map[uint16]bool{}
	for _, s := range d.servers {
		s.port = s.plan.Advertise.Port
		if s.port == 0 {
			s.port = s.defaultPort()
		}
		if twin := d.twin(s); twin == nil {
			s.port = freeRange(taken, int(s.port), 1)
			taken[s.port] = true
		}
	}
	for _, s := range d.servers {
		if s.plan.MQTT != nil {
			continue // its one broker has no address of its own
		}
		if twin := d.twin(s); twin != nil {
			s.first, s.last = twin.first, twin.last
			continue
		}
		if s.first = freeRange(taken, int(s.port)+1, brokerPorts); s.first == 0 {
			continue // hundreds of servers: the operator has to say
		}
		s.last = s.first + brokerPorts - 1
		for port := int(s.first); port <= int(s.last); port++ {
			taken[uint16(port)] = true
		}
	}
}

// defaultPort is the port of a server for which the document names none.
func (s *draftServer) defaultPort() uint16 {
	switch {
	case s.plan.MQTT == nil:
		return 9092
	case s.tls:
		return 8883
	}
	return 1883
}

// freeRange is where a range of free ports begins, from a port upwards or else anywhere above 1023; 0 if there is none.
func freeRange(taken map[uint16]bool, from, size int) uint16 {
	for _, start := range []int{from, 1024} {
		free := 0
		for port := start; port <= 65535; port++ {
			if free++; taken[uint16(port)] {
				free = 0
			}
			if free == size {
				return uint16(port - size + 1)
			}
		}
	}
	return 0
}

// twin is an earlier server that this one can share a listener with: same port, protocol and security.
func (d *draft) twin(s *draftServer) *draftServer {
	for _, t := range d.servers {
		if t == s {
			break
		}
		if t.port == s.port && t.plan.Protocol == s.plan.Protocol && t.off == s.off && slices.Equal(t.ways(), s.ways()) &&
			slices.Equal(t.plan.Upstream.Bootstrap, s.plan.Upstream.Bootstrap) {
			return t
		}
	}
	return nil
}

func (s *draftServer) ways() []string {
	var list []string
	for _, a := range s.plan.Alternatives {
		var all []string
		for _, q := range a.All {
			all = append(all, q.Type+q.In+strings.Join(q.Mechanisms, ",")+strings.Join(q.Scopes, ","))
		}
		list = append(list, fmt.Sprint(a.Enabled, all))
	}
	return list
}

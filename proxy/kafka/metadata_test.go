package kafka

import (
	"bytes"
	"testing"
)

func TestMetadataAsMeant(t *testing.T) {
	for _, c := range []struct {
		name        string
		version     int16
		body, meant []byte
	}{
		{"librdkafka asks for all topics", 13, []byte{0, 0, 0, 0, 1, 0, 0}, []byte{0, 1, 0, 0}},
		{"the same in version 12", 12, []byte{0, 0, 0, 0, 1, 0, 0}, []byte{0, 1, 0, 0}},
		{"the same in version 10", 10, []byte{0, 0, 0, 0, 1, 0, 0, 0}, []byte{0, 1, 0, 0, 0}},
		{"the same in version 9", 9, []byte{0, 0, 0, 0, 1, 0, 0, 0}, []byte{0, 1, 0, 0, 0}},
		{"all topics, as it is right", 12, []byte{0, 1, 0, 0}, nil},
		{"all topics and nothing else", 12, []byte{0, 0, 0, 0}, nil},
		{"all topics and nothing else in version 9", 9, []byte{0, 0, 0, 0, 0}, nil},
		{"one byte more", 12, []byte{0, 0, 0, 0, 1}, nil},
		{"something after it", 12, []byte{0, 0, 0, 0, 1, 0, 0, 0}, nil},
		{"a version that has those bytes", 8, []byte{0, 0, 0, 0, 1, 0, 0}, nil},
		{"nothing", 12, nil, nil},
	} {
		meant := c.meant
		if meant == nil {
			meant = c.body
		}
		if got := metadataAsMeant(c.version, c.body); !bytes.Equal(got, meant) {
			t.Errorf("%s: %x, want %x", c.name, got, meant)
		}
	}
}

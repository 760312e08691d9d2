package inprocess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
)

// Record is one log record.
type Record struct {
	Logger  string
	Message string
	Fields  map[string]any
	Text    string // all of it, as it would be written
}

// Field is a field as text; empty if there is none.
func (r Record) Field(name string) string {
	if v, ok := r.Fields[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// Log keeps what a gateway logs.
type Log struct {
	zapcore.LevelEnabler
	encoder zapcore.Encoder
	with    []zapcore.Field
	kept    *kept
}

type kept struct {
	mu      sync.Mutex
	records []Record
	changed chan struct{} // closed and replaced with every record
}

func newLog() *Log {
	return &Log{LevelEnabler: zapcore.DebugLevel, kept: &kept{changed: make(chan struct{})},
		encoder: zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg", NameKey: "logger"})}
}

// With is of [zapcore.Core], like Check, Write and Sync.
func (l *Log) With(fields []zapcore.Field) zapcore.Core {
	more := *l
	more.with = append(slices.Clone(l.with), fields...)
	return &more
}

// Check adds the log to those that a record is for.
func (l *Log) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(e, l)
}

// Write keeps a record.
func (l *Log) Write(e zapcore.Entry, fields []zapcore.Field) error {
	line, err := l.encoder.Clone().EncodeEntry(e, append(slices.Clone(l.with), fields...))
	if err != nil {
		return err
	}
	r := Record{Logger: e.LoggerName, Message: e.Message, Text: line.String()}
	line.Free()
	if err := json.Unmarshal([]byte(r.Text), &r.Fields); err != nil {
		return err
	}
	l.kept.mu.Lock()
	defer l.kept.mu.Unlock()
	l.kept.records = append(l.kept.records, r)
	close(l.kept.changed)
	l.kept.changed = make(chan struct{})
	return nil
}

// Sync has nothing to do.
func (l *Log) Sync() error { return nil }

// Records are the records so far for which match is true.
func (l *Log) Records(match func(Record) bool) []Record {
	l.kept.mu.Lock()
	defer l.kept.mu.Unlock()
	var found []Record
	for _, r := range l.kept.records {
		if match(r) {
			found = append(found, r)
		}
	}
	return found
}

// Contains reports whether any record so far has the text in it.
func (l *Log) Contains(text []byte) bool {
	return len(l.Records(func(r Record) bool { return bytes.Contains([]byte(r.Text), text) })) > 0
}

// Forget drops the records so far.
func (l *Log) Forget() {
	l.kept.mu.Lock()
	defer l.kept.mu.Unlock()
	l.kept.records = nil
}

// Await returns the first record for which match is true, also one that was logged before; false if none comes in time.
func (l *Log) Await(within time.Duration, match func(Record) bool) (Record, bool) {
	found := l.AwaitMany(within, 1, match)
	if len(found) == 0 {
		return Record{}, false
	}
	return found[0], true
}

// AwaitMany returns the records for which match is true, once there are n of them or the time is over.
func (l *Log) AwaitMany(within time.Duration, n int, match func(Record) bool) []Record {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		l.kept.mu.Lock()
		changed := l.kept.changed
		l.kept.mu.Unlock()
		found := l.Records(match)
		if len(found) >= n {
			return found
		}
		select {
		case <-changed:
		case <-late.C:
			return found
		}
	}
}

// Wait is Await, and fails the test.
func (l *Log) Wait(t testing.TB, within time.Duration, match func(Record) bool) Record {
	t.Helper()
	r, ok := l.Await(within, match)
	if !ok {
		var all bytes.Buffer
		for _, r := range l.Records(func(Record) bool { return true }) {
			all.WriteString(r.Text)
		}
		t.Fatalf("the record did not come within %v; the log is\n%s", within, all.String())
	}
	return r
}

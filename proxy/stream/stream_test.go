package stream

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// pair is a TCP connection's two ends.
func pair(t testing.TB) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// opaque hides that a connection is TCP, as TLS does.
type opaque struct{ net.Conn }

// kinds runs a test on a plain connection and on one that cannot be waited for without a buffer.
func kinds(t *testing.T, test func(t *testing.T, s *Stream, far net.Conn)) {
	t.Run("TCP", func(t *testing.T) {
		near, far := pair(t)
		test(t, New(near, Sip), far)
	})
	t.Run("direct TCP", func(t *testing.T) {
		near, far := pair(t)
		test(t, New(Direct(near), Sip), far)
	})
	t.Run("other", func(t *testing.T) {
		near, far := pair(t)
		test(t, New(opaque{near}, Sip), far)
	})
}

func write(t testing.TB, conn net.Conn, p []byte) *sync.WaitGroup {
	t.Helper()
	var writing sync.WaitGroup
	writing.Go(func() {
		if _, err := conn.Write(p); err != nil {
			t.Error(err)
		}
	})
	return &writing
}

func random(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.Read(p)
	return p
}

// A buffer grows with what has arrived, up to the bound of the caller's, and keeps every byte.
func TestFillGrows(t *testing.T) {
	kinds(t, func(t *testing.T, s *Stream, far net.Conn) {
		const most = 300 << 10
		sent := random(most + 1)
		writing := write(t, far, sent)
		capacity := 0
		for len(s.Bytes()) < most {
			if err := s.Fill(most); err != nil {
				t.Fatal(err)
			}
			if len(s.buf) != capacity && len(s.buf) > 2*max(len(s.Bytes()), Sip) {
				t.Errorf("a buffer of %d bytes for %d", len(s.buf), len(s.Bytes()))
			}
			capacity = len(s.buf)
		}
		if err := s.Fill(most); !errors.Is(err, ErrFull) {
			t.Errorf("more than the bound: %v", err)
		}
		if !bytes.Equal(s.Bytes(), sent[:len(s.Bytes())]) {
			t.Error("other bytes than were sent")
		}
		s.Discard(len(s.Bytes()))
		if s.buf != nil {
			t.Error("an empty stream holds a buffer")
		}
		if len(s.Bytes()) == 0 {
			if err := s.Fill(most); err != nil || s.Bytes()[0] != sent[most] {
				t.Errorf("the last byte: %v", err)
			}
		}
		writing.Wait()
		_ = far.Close()
		s.Release()
		if err := s.Fill(most); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// What passes or is skipped leaves the bytes after it, wherever the buffer ends.
func TestPassAndSkip(t *testing.T) {
	kinds(t, func(t *testing.T, s *Stream, far net.Conn) {
		for _, n := range []int{1, 100, Sip, Chunk, 200 << 10, 700 << 10} {
			sent := random(2*n + 3)
			writing := write(t, far, sent)
			if err := s.Fill(Chunk); err != nil {
				t.Fatal(err)
			}
			out, in := pair(t)
			renewed := 0
			var got bytes.Buffer
			var reading sync.WaitGroup
			reading.Go(func() { _, _ = io.Copy(&got, in) })
			if err := s.Pass(Direct(out), int64(n), 64<<10, func() { renewed++ }); err != nil {
				t.Fatal(err)
			}
			_ = out.Close()
			reading.Wait()
			if !bytes.Equal(got.Bytes(), sent[:n]) || renewed == 0 {
				t.Errorf("%d bytes: %d have passed, with %d renewals", n, got.Len(), renewed)
			}
			renewed = 0
			if err := s.Skip(int64(n), 64<<10, func() { renewed++ }); err != nil {
				t.Fatal(err)
			}
			if n > 600<<10 && renewed < 8 {
				t.Errorf("%d bytes were skipped with %d renewals", n, renewed)
			}
			for len(s.Bytes()) < 3 {
				if err := s.Fill(Chunk); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(s.Bytes(), sent[2*n:]) {
				t.Errorf("%d bytes: other bytes follow", n)
			}
			s.Release()
			writing.Wait()
		}
	})
}

// Who sends little at a time gets no more time for it: a piece has one deadline.
func TestPassRenewsForAPieceAndNotForBytes(t *testing.T) {
	kinds(t, func(t *testing.T, s *Stream, far net.Conn) {
		out, in := pair(t)
		var writing sync.WaitGroup
		writing.Go(func() {
			for range 100 { // each goes on once it has arrived
				if _, err := far.Write([]byte("x")); err != nil {
					t.Error(err)
				}
				if s.tcp == nil { // which reads on until it has a chunk
					continue
				}
				if _, err := io.ReadFull(in, make([]byte, 1)); err != nil {
					t.Error(err)
				}
			}
		})
		renewed := 0
		if err := s.Pass(out, 100, 64<<10, func() { renewed++ }); err != nil || renewed != 1 {
			t.Errorf("%d renewals for 100 bytes one by one (%v)", renewed, err)
		}
		writing.Wait()
	})
}

// What ends before it has passed says so.
func TestPassEnds(t *testing.T) {
	kinds(t, func(t *testing.T, s *Stream, far net.Conn) {
		writing := write(t, far, random(100))
		writing.Wait()
		_ = far.Close()
		out, in := pair(t)
		go func() { _, _ = io.Copy(io.Discard, in) }()
		if err := s.Pass(out, 200, 64<<10, func() {}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("100 of 200 bytes: %v", err)
		}
	})
}

// A deadline moves with progress, not with every call, and not any more once it has ended.
func TestDeadline(t *testing.T) {
	var set []time.Time
	d := NewDeadline(func(at time.Time) error { set = append(set, at); return nil }, time.Hour)
	d.Renew()
	d.Renew()
	if len(set) != 1 || time.Until(set[0]) < 59*time.Minute {
		t.Errorf("set to %v", set)
	}
	d.Change(2 * time.Hour)
	if len(set) != 2 || time.Until(set[1]) < 119*time.Minute {
		t.Errorf("changed to %v", set)
	}
	d.End()
	d.Change(time.Hour)
	if len(set) != 3 || time.Until(set[2]) > 0 {
		t.Errorf("ended, and set to %v", set)
	}
	if Piece(time.Second) != slowest || Piece(10*time.Second) != 10*slowest || Piece(0) != slowest {
		t.Error("pieces do not fit their deadlines")
	}
}

// Whoever is in a hurry ends a wait for what has not begun, and nothing else.
func TestHurryEndsAWaitAlone(t *testing.T) {
	var set []time.Time
	d := NewDeadline(func(at time.Time) error { set = append(set, at); return nil }, time.Hour)
	d.Renew()
	d.Hurry()
	if len(set) != 1 {
		t.Errorf("hurried what does not wait: set to %v", set)
	}
	d.Await()
	if d.Hurry(); len(set) != 2 || time.Until(set[1]) > 0 {
		t.Errorf("hurried a wait: set to %v", set)
	}
	d.Resume()
	d.Hurry()
	if d.Renew(); len(set) != 3 || time.Until(set[2]) < 59*time.Minute {
		t.Errorf("resumed, and set to %v", set)
	}
	d.Passed()
	if d.Renew(); len(set) != 4 || d.After() != time.Hour {
		t.Errorf("renewed after it had passed: set to %v, after %v", set, d.After())
	}
}

package proxy

import (
	"strconv"
	"strings"
)

// Bounds of what peers may put into a log record, in bytes.
const (
	maxClaimed = 128
	maxReason  = 256
)

// quoted is a string of the peer's, quoted and cut, for a record. An empty one stays empty.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	return strconv.QuoteToASCII(cut(s, maxClaimed))
}

// plain is a reason of our own, which may repeat something that a peer sent: printable ASCII, and cut. Quotation marks
// and backslashes stay as they are: the log's own encoding takes care of them.
func plain(s string) string {
	q := strconv.QuoteToASCII(cut(s, maxReason))
	return unescape.Replace(q[1 : len(q)-1])
}

var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "..."
}

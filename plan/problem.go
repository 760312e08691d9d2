package plan

// Severity says what a problem means for the start: an error stops it.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Problem is one thing to say about a document or its settings. The JSON form is a contract: pipelines read it.
type Problem struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // stable: document/…, security/… or settings/…
	File     string   `json:"file"`
	Line     int      `json:"line"`   // from 1; 0 if there is none
	Column   int      `json:"column"` // from 1; 0 if there is none
	Pointer  string   `json:"pointer"`
	Message  string   `json:"message"` // lower case, one line
	Hint     string   `json:"hint"`    // what to do about it; may be empty
}

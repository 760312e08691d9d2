package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// The form of JUnit's XML that GitLab, Jenkins and others read: nothing in it is of one of them alone.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitFailure `xml:"failure"`
	Output  *junitText    `xml:"system-out"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	junitText
}

// junitText is text with its lines as they are: the encoder would write each end of a line as a reference.
type junitText struct {
	Escaped string `xml:",innerxml"`
}

func junitTextOf(lines []string) junitText {
	var b strings.Builder
	for _, line := range lines {
		for part := range strings.SplitAfterSeq(line, "\n") {
			text, ended := strings.CutSuffix(part, "\n")
			_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
			if ended {
				b.WriteByte('\n')
			}
		}
	}
	return junitText{b.String()}
}

// writeJUnit writes a suite for each document and a case for each code, with what passes too. Errors are failures; what
// is less is the output of a case that passes, because the format knows nothing between.
func writeJUnit(w io.Writer, all []Document, _ Options) error {
	out := junitSuites{Name: "asyncgate check"}
	known := codes(all)
	for _, d := range all {
		name := Printable(d.Plan.Document)
		suite := junitSuite{Name: name}
		for _, code := range known {
			one := junitCaseOf(code.Code, d.Problems)
			one.Class = name
			suite.Tests++
			if one.Failure != nil {
				suite.Failures++
			}
			suite.Cases = append(suite.Cases, one)
		}
		out.Tests += suite.Tests
		out.Failures += suite.Failures
		out.Suites = append(out.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitCaseOf sums up the problems of one code: readers show the first failure of a case alone.
func junitCaseOf(code string, all []plan.Problem) junitCase {
	one := junitCase{Name: code}
	var errors, rest []string
	for _, p := range all {
		if p.Code != code {
			continue
		}
		line := strings.TrimPrefix(Printable(where(p))+" ", " ") + text(p) + "\n"
		if p.Severity != plan.Error {
			rest = append(rest, string(p.Severity)+" "+line)
			continue
		}
		if len(errors) == 0 {
			one.Failure = &junitFailure{Message: Printable(p.Message), Type: string(p.Severity)}
			one.File, one.Line = Printable(p.File), p.Line
		}
		errors = append(errors, line)
	}
	if one.Failure != nil {
		one.Failure.junitText = junitTextOf(errors)
	}
	if len(rest) > 0 {
		output := junitTextOf(rest)
		one.Output = &output
	}
	return one
}

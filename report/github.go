package report

import (
	"io"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// writeGitHub writes a workflow command a problem, which GitHub shows beside the line in a pull request
// (docs.github.com, "Workflow commands for GitHub Actions").
func writeGitHub(w io.Writer, all []Document, _ Options) error {
	var b strings.Builder
	for _, d := range all {
		for _, p := range d.Problems {
			b.WriteString(annotation(p))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// annotation is the command for one problem.
func annotation(p plan.Problem) string {
	command := string(p.Severity)
	if p.Severity == plan.Note {
		command = "notice"
	}
	var properties []string
	if p.File != "" {
		properties = append(properties, "file="+escapeProperty.Replace(Printable(p.File)))
	}
	if p.Line > 0 {
		properties = append(properties, "line="+strconv.Itoa(p.Line))
	}
	if p.Column > 0 {
		properties = append(properties, "col="+strconv.Itoa(p.Column))
	}
	properties = append(properties, "title="+escapeProperty.Replace(p.Code))
	return "::" + command + " " + strings.Join(properties, ",") + "::" + escapeData.Replace(text(p)) + "\n"
}

// What the runner decodes again (actions/toolkit, command.ts): without it a document could end a command and begin
// another.
var (
	escapeData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

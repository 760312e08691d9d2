package tokens

import (
	"fmt"

	"github.com/asyncgate/asyncgate/sasl"
)

// reject builds a refusal. Its public text is that of the road on which the token came.
func reject(code, format string, args ...any) *sasl.Reject {
	return &sasl.Reject{Stage: sasl.StageLogin, Code: code, Private: fmt.Sprintf(format, args...)}
}

// quote shows a stranger's text to an operator: escaped, and cut at 64 characters.
func quote(s string) string {
	cut := fmt.Sprintf("%.64s", s)
	if len(cut) < len(s) {
		return fmt.Sprintf("%q…", cut)
	}
	return fmt.Sprintf("%q", s)
}

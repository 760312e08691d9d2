package lint

import "fmt"

// quote shows a string of the document in a message: on one line, and cut.
func quote(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", s)
}

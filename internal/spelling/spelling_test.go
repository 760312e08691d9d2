package spelling

import "testing"

// The word that was probably meant, among words that look alike and words that do not.
func TestNearest(t *testing.T) {
	words := []string{"address", "bindings", "messages", "send", "url", "x"}
	for word, want := range map[string]string{
		"adress":    "address",  // too few
		"bindingss": "bindings", // too many
		"massages":  "messages", // wrong
		"messagse":  "messages", // swapped
		"adres":     "address",  // two slips
		"adre":      "",         // three
		"snd":       "send",
		"sn":        "", // two slips are too many in a short word
		"ulr":       "url",
		"y":         "", // nothing would be left of it
		"":          "",
		"operation": "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("%q is taken for %q, not %q", word, got, want)
		}
	}
}

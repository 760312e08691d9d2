package assembly_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/internal/assembly"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"10 003C":                        "10003c",
		`"MQTT"`:                         "00044d515454",
		`'GET "/"'`:                      "47455420222f22",
		`"\x00\xff"`:                     "000200ff",
		`10 [ "a" [ ] ]`:                 "100400016100",
		`(26 "a" [01])*2`:                "26000161010126000161" + "0101",
		`'{ab*3}'`:                       "616261626162",
		`[ ('{a*64}')*2 ]`:               "8001" + strings.Repeat("61", 128),
		"8100'\\'' \n\t 00":              "81002700",
		`"` + `{x*2}` + `y" ''`:          "0003787879",
		`[[[]]]`:                         "020100",
		`30 [ "a/b" 'payload\n{x*1}' ] `: "300e0003612f627061796c6f61640a78",
	} {
		got, err := assembly.Bytes(text)
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s: %x, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"1", "xy", "[", "]", "(00)", "(00", "(00)*", `"a`, `'`, `"\q"`, `"{a*65536}"`, "(00)*999999999999"} {
		if b, err := assembly.Bytes(text); err == nil {
			t.Errorf("%s is %x", text, b)
		}
	}
}

package api_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

func TestGenQuestions(t *testing.T) {
	if os.Getenv("GENQ") == "" {
		t.Skip()
	}
	f, _ := os.Create(os.Getenv("GENQ"))
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(31, 32))
	for _, a := range api.All() {
		if a.Max() < 0 || a.Key == 18 || a.Key == 17 || a.Key == 36 {
			continue
		}
		lo, _ := wire.Versions(a.Key)
		for v := lo; v <= a.Max(); v++ {
			for range 3 {
				m, _ := random.Request(r, a.Key, v, 2)
				fmt.Fprintf(w, "%d %d 31 %x\n", a.Key, v, m.AppendTo(nil))
			}
		}
	}
	w.Flush()
	f.Close()
}

func TestGenCompare(t *testing.T) {
	if os.Getenv("GENA") == "" {
		t.Skip()
	}
	q, _ := os.ReadFile(os.Getenv("GENQ2"))
	a, _ := os.ReadFile(os.Getenv("GENA"))
	qs, as := strings.Split(strings.TrimSpace(string(q)), "\n"), strings.Split(strings.TrimSpace(string(a)), "\n")
	bad := map[int16]int{}
	for i := range qs {
		var key, version, code int16
		var hexed string
		fmt.Sscanf(qs[i], "%d %d %d %s", &key, &version, &code, &hexed)
		body, _ := hex.DecodeString(hexed)
		if strings.HasPrefix(as[i], "error") {
			fmt.Println("JAVA", wire.Name(key), version, as[i])
			continue
		}
		h := wire.RequestHeader{Key: key, Version: version, Correlation: 1}
		frame, err := api.ErrorResponse(h, body, code)
		got := "null"
		if err == nil {
			_, n, _ := wire.ParseResponseHeader(key, version, frame[4:])
			got = hex.EncodeToString(frame[4+n:])
		}
		if got != as[i] && !same(key, version, got, as[i]) {
			if bad[key] < 2 {
				dec := func(s string) string {
					b, _ := hex.DecodeString(s)
					m, err := wire.DecodeResponse(key, version, b)
					if err != nil {
						return err.Error()
					}
					return fmt.Sprintf("%+v", deref(m))
				}
				b := kmsg.RequestForKey(key)
				b.SetVersion(version)
				b.ReadFrom(body)
				fmt.Printf("DIFF %s v%d %v\n  req  %+v\n  got  %s\n  want %s\n", wire.Name(key), version, err, deref(b), dec(got), dec(as[i]))
			}
			bad[key]++
		}
	}
	fmt.Println(len(bad), "keys differ")
}

func deref(m any) string { return pretty(m) }

func same(key, version int16, a, b string) bool {
	if a == "null" || b == "null" {
		return false
	}
	var js [2]string
	for i, s := range []string{a, b} {
		x, _ := hex.DecodeString(s)
		m, err := wire.DecodeResponse(key, version, x)
		if err != nil {
			return false
		}
		js[i] = regexp.MustCompile(`"ErrorMessage":("[^"]*"|null)`).ReplaceAllString(pretty(m), "")
	}
	return js[0] == js[1]
}

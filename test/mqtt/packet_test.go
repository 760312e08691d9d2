package mqtttest_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/asyncgate/asyncgate/test/mqtt"
)

// TestEncode holds lines to the bytes of the specification's tables.
func TestEncode(t *testing.T) {
	for _, c := range []struct {
		version byte
		line    string
		want    string
	}{
		{4, "PINGREQ", "c000"},
		{5, "DISCONNECT", "e000"},
		{5, "DISCONNECT code=0x04", "e0020400"},
		{4, "CONNECT id=a clean keepalive=10", "100d00044d5154540402000a000161"},
		{3, "CONNECT id=a", "100f00064d51497364700300000000" + "0161"},
		{5, "CONNECT id=a user=u password=p session-expiry=1 user=k=v", "1020" + "00044d515454" + "05" + "c0" + "0000" +
			"0c" + "1100000001" + "2600016b000176" + "000161" + "000175" + "000170"},
		{5, "CONNECT will=w will-qos=1 will-retain will-payload=x will:will-delay=5", "1019" + "00044d515454" + "05" + "2c" + "0000" +
			"00" + "0000" + "051800000005" + "000177" + "000178"},
		{5, "PUBLISH topic=t qos=1 id=3 retain dup alias=2 payload=hi", "3b0b" + "000174" + "0003" + "03230002" + "6869"},
		{4, "SUBSCRIBE id=1 filter=a:1", "8206" + "0001" + "000161" + "01"},
		{5, "SUBSCRIBE id=1 subscription-id=200 filter=a:1np2", "820a" + "0001" + "030bc801" + "000161" + "2d"},
		{4, "UNSUBSCRIBE id=1 filter=a", "a205" + "0001" + "000161"},
		{5, "PUBACK id=7", "40020007"},
		{5, "PUBREC id=7 code=0x97", "50040007" + "9700"},
		{5, "AUTH code=0x18 method=M", "f00618" + "04" + "1500014d"},
		{4, "raw 30ff01 02", "30ff0102"},
	} {
		p, err := mqtttest.Parse(c.line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Encode(c.version)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("MQTT %d: %s is %x, want %s (%v)", c.version, c.line, got, c.want, err)
		}
	}
}

// TestDecode holds bytes of a broker to lines.
func TestDecode(t *testing.T) {
	for _, c := range []struct {
		version byte
		bytes   string
		want    string
	}{
		{4, "20020100", "CONNACK present code=0x00"},
		{5, "20050000" + "03" + "2200", ""}, // too short
		{5, "20060000" + "03" + "22000a", "CONNACK code=0x00 alias-maximum=10"},
		{4, "330700017400056869", "PUBLISH topic=t qos=1 id=5 retain payload=hi"},
		{5, "9006" + "0001" + "00" + "018097", "SUBACK id=1 code=0x01 code=0x80 code=0x97"},
		{5, "40020007", "PUBACK id=7"},
		{5, "e0028e00", "DISCONNECT code=0x8e"},
		{4, "d000", "PINGRESP"},
		{4, "c000", ""},   // no broker sends PINGREQ
		{4, "d00100", ""}, // a byte too many
	} {
		raw, err := hex.DecodeString(c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		p, err := mqtttest.Read(bytes.NewReader(raw), c.version)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("MQTT %d: %s is %v, want an error", c.version, c.bytes, p)
		case c.want != "" && err != nil:
			t.Errorf("MQTT %d: %s: %v", c.version, c.bytes, err)
		case c.want != "" && p.String() != c.want:
			t.Errorf("MQTT %d: %s is %v, want %s", c.version, c.bytes, p, c.want)
		}
	}
}

func TestLinesComeBackAsTheyWere(t *testing.T) {
	for _, line := range []string{
		`PUBLISH topic="with space" payload="a\"b\x00" user="k=v w"`, "CONNECT id=a clean", "SUBSCRIBE id=1 filter=$share/g/#:1",
	} {
		p, err := mqtttest.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		again, err := mqtttest.Parse(p.String())
		if err != nil || again.String() != p.String() || again.Text("payload") != p.Text("payload") {
			t.Errorf("%s became %v, then %v (%v)", line, p, again, err)
		}
	}
	for _, line := range []string{"", "HELLO", `PUBLISH payload="open`, "CONNECT id=\"\\q\""} {
		if p, err := mqtttest.Parse(line); err == nil {
			t.Errorf("%q is %v, want an error", line, p)
		}
	}
}

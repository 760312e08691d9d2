package tokens_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/oidc"
)

// startRoads is a gateway for testdata/roads.yml, with a server for each road on which tokens come. The secret of the client
// "gateway" is in the file oidc.
func startRoads(t *testing.T, issuers ...any) *world {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "lights"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	broker := mosquittotest.Start(t, mosquittotest.Options{})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "oidc"), []byte(oidctest.Secret("gateway")), 0o600); err != nil {
		t.Fatal(err)
	}
	server := func(advertise string, upstream map[string]any) map[string]any {
		return map[string]any{"listen": "127.0.0.1:0", "advertise": advertise, "upstream": upstream, "tls": map[string]string{
			"certificate": broker.Certificate(t, "gateway-server.crt"), "key": broker.Certificate(t, "gateway-server.key")}}
	}
	mqtt := map[string]any{"address": broker.Address(mosquittotest.Open)}
	text, err := json.Marshal(map[string]any{ // JSON is YAML
		"servers": map[string]any{
			"kafka": server("127.0.0.1:0", map[string]any{"bootstrap": cluster.ListenAddrs()}),
			"mqtt":  server("localhost:0", mqtt), "web": server("localhost:0", mqtt),
		},
		"tokens": map[string]any{"issuers": issuers},
		"limits": map[string]any{"exempt": []string{"127.0.0.0/8", "::1/128"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Options{Document: "testdata/roads.yml", Settings: string(text), Dir: dir})
	return &world{t: t, gateway: g, roots: mosquittotest.ClientTLS(t, "").RootCAs}
}

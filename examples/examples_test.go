package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// TestTheExamplesCheck sets the examples up as their README says and has them judged: nothing may be wrong with them.
func TestTheExamplesCheck(t *testing.T) {
	parts.Need(t, "sh", "openssl")
	dir := t.TempDir()
	if out, err := exec.Command("./setup.sh", dir, "kafka-1").CombinedOutput(); err != nil {
		t.Fatalf("setup.sh: %v\n%s", err, out)
	}
	for document, mentions := range map[string][]string{
		"streetlights-kafka.yml":     {"scram-connections", "SCRAM-SHA-256", "mtls-connections", "client certificate", "localhost:18092"},
		"mqtt/streetlights-mqtt.yml": {"production", "apiKey", "localhost:8883", "mosquitto:8883"},
		"tokens/lights.yml":          {"kafka-1:9094", "localhost:38092", "localhost:38883", "lights:write"},
	} {
		said := gatewaytest.Command(t, "", "check", filepath.Join(dir, document))
		for _, want := range mentions {
			if !strings.Contains(said, want) {
				t.Errorf("check of %s does not mention %s:\n%s", document, want, said)
			}
		}
	}
}

// TestComposeMountsWhatThereIs holds docker-compose.yml, and docker-compose.tokens.yml which includes it, to files that exist:
// an engine would make empty directories of missing ones.
func TestComposeMountsWhatThereIs(t *testing.T) {
	type service struct {
		Volumes    []string `yaml:"volumes"`
		Entrypoint []string `yaml:"entrypoint"`
	}
	var compose struct {
		Services map[string]service `yaml:"services"`
		Volumes  map[string]any     `yaml:"volumes"`
	}
	for _, name := range []string{"docker-compose.yml", "docker-compose.tokens.yml"} { // what one adds to the other
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &compose); err != nil {
			t.Fatal(err)
		}
	}
	if compose.Services["keycloak"].Volumes == nil || compose.Services["kafka-1"].Volumes == nil {
		t.Fatal("the services of one of the files are not there")
	}
	for name, s := range compose.Services {
		mounted := map[string]string{} // by path in the container
		for _, volume := range s.Volumes {
			source, rest, _ := strings.Cut(volume, ":")
			target, _, _ := strings.Cut(rest, ":")
			if !strings.HasPrefix(source, ".") {
				if _, declared := compose.Volumes[source]; !declared {
					t.Errorf("%s mounts the volume %s, which is not declared", name, source)
				}
				continue
			}
			source = filepath.Join("..", source)
			if _, err := os.Stat(source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			mounted[target] = source
		}
		for _, word := range s.Entrypoint {
			for target, source := range mounted {
				if inside, ok := strings.CutPrefix(word, target+"/"); ok {
					if _, err := os.Stat(filepath.Join(source, inside)); err != nil {
						t.Errorf("%s runs %s: %v", name, word, err)
					}
				}
			}
		}
	}
}

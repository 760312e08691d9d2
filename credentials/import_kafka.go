package credentials

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/sasl"
)

var (
	kafkaUser  = regexp.MustCompile(`^(?:SCRAM credential configs|Configs) for user-principal '(.*)' are (.*)$`)
	kafkaScram = regexp.MustCompile(`SCRAM-(SHA-256|SHA-512)=\[?([^\]]*?)\]?(?:,\s*SCRAM-SHA-|$)`)
)

// kafkaConfigs reads a line of kafka-configs.sh --describe --entity-type users:
//
//	Configs for user-principal 'alice' are SCRAM-SHA-256=salt=…,stored_key=…,server_key=…,iterations=4096,SCRAM-SHA-512=…
//
// in brackets or without. Since KIP-554 a broker shows the iteration count alone, and only ZooKeeper has the rest.
func (i *importer) kafkaConfigs(line string) error {
	m := kafkaUser.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		if strings.Contains(line, "stored_key=") {
			return errors.New("a credential without Configs for user-principal '…' are")
		}
		return nil // quotas, other entities, blank lines
	}
	name, configs := m[1], m[2]
	for configs != "" {
		at := kafkaScram.FindStringSubmatchIndex(configs)
		if at == nil {
			break
		}
		h := sasl.Hash(configs[at[2]:at[3]])
		v, err := kafkaVerifier(h, configs[at[4]:at[5]])
		if err != nil {
			return fmt.Errorf("user %q: %w", cut(name), err)
		}
		i.set(name, v)
		configs = configs[at[5]:]
	}
	return nil
}

func kafkaVerifier(h sasl.Hash, text string) (Verifier, error) {
	values := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if _, twice := values[key]; !ok || twice {
			return Verifier{}, errors.New("a credential is salt=…,stored_key=…,server_key=…,iterations=…")
		}
		values[key] = value
	}
	if values["stored_key"] == "" {
		return Verifier{}, errors.New("no keys: brokers do not show them since KIP-554; " +
			"use --format " + FormatKafkaDump + " with the output of kafka-dump-log.sh --cluster-metadata-decoder")
	}
	iterations, err := strconv.Atoi(values["iterations"])
	if err != nil {
		return Verifier{}, errors.New("iterations is not a number")
	}
	return verifierOf(h, iterations, values["salt"], values["stored_key"], values["server_key"])
}

// Records of the metadata log. The mechanism numbers are those of org.apache.kafka.clients.admin.ScramMechanism.
const (
	recordScram       = "USER_SCRAM_CREDENTIAL_RECORD"
	recordScramRemove = "REMOVE_USER_SCRAM_CREDENTIAL_RECORD"
)

var kafkaMechanisms = map[int]sasl.Hash{1: sasl.SHA256, 2: sasl.SHA512}

// kafkaDump reads a line of kafka-dump-log.sh --cluster-metadata-decoder, of a log segment or a snapshot:
//
//	| offset: 8 … payload: {"type":"USER_SCRAM_CREDENTIAL_RECORD","version":0,"data":{"name":"alice","mechanism":1,…}}
//
// Records come in the order of the log: a later one replaces or removes what an earlier one set.
func (i *importer) kafkaDump(line string) error {
	_, payload, ok := strings.Cut(line, "payload: ")
	if !ok || !strings.Contains(payload, "SCRAM_CREDENTIAL_RECORD") {
		return nil
	}
	var record struct {
		Type string
		Data struct {
			Name                       string
			Mechanism, Iterations      int
			Salt, StoredKey, ServerKey string
		}
	}
	if err := json.Unmarshal([]byte(payload), &record); err != nil {
		return errors.New("a SCRAM record that is not JSON: is the line whole?")
	}
	if record.Type != recordScram && record.Type != recordScramRemove {
		return nil
	}
	d := record.Data
	h, ok := kafkaMechanisms[d.Mechanism]
	if !ok {
		return fmt.Errorf("user %q: unknown mechanism number %d", cut(d.Name), d.Mechanism)
	}
	if record.Type == recordScramRemove {
		i.remove(d.Name, h)
		return nil
	}
	v, err := verifierOf(h, d.Iterations, d.Salt, d.StoredKey, d.ServerKey)
	if err != nil {
		return fmt.Errorf("user %q: %w", cut(d.Name), err)
	}
	i.set(d.Name, v)
	return nil
}

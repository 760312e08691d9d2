// Package rig starts the real parts of the benchmark on loopback and ends them again: one node of Apache Kafka, Mosquitto,
// HAProxy and asyncgate, each its own process, and looks from outside at what they use.
package rig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/asyncgate/asyncgate/internal/throwaway"
)

// Rig is everything that is measured.
type Rig struct {
	Broker  *Broker  // nil if Kafka is not wanted
	HAProxy *HAProxy // in front of it; nil if it is not installed or not wanted
	Gateway *Gateway // in front of it; nil if it is not wanted
	MQTT    *MQTT    // nil if it is not wanted
	// Operations is a gateway that enforces operations; nil: none was asked for.
	Operations *Gateway
	// Memory says that the broker's log is in memory.
	Memory bool

	dir          string
	certificates string
	program      string
	ports        int // for one more gateway
	issuer       *throwaway.Issuer
}

// Options say what to start beside the broker.
type Options struct {
	Root       string // of the project
	Kafka      bool
	MQTT       bool
	HAProxy    bool
	Gateway    bool
	Operations bool   // a gateway that enforces operations too
	Program    string // a built gateway; default: built from Root
}

// Start starts the rig.
func Start(ctx context.Context, o Options) (_ *Rig, err error) {
	r := &Rig{program: o.Program}
	memory := inMemory()
	r.Memory = memory != ""
	if r.dir, err = os.MkdirTemp(memory, "asyncgate-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.Stop()
		}
	}()
	r.certificates = filepath.Join(r.dir, "certificates")
	script := filepath.Join(o.Root, "examples", "kafka", "certificates.sh")
	if _, err := run(ctx, nil, nil, "sh", script, r.certificates); err != nil {
		return nil, err
	}
	if (o.Gateway || o.Operations) && o.Program == "" {
		if r.program, err = build(ctx, o.Root, r.dir); err != nil {
			return nil, err
		}
	}
	if o.Kafka {
		if err := r.startKafka(ctx, o); err != nil {
			return nil, err
		}
	}
	if o.MQTT {
		if r.MQTT, err = r.startMQTT(ctx, o); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// startKafka starts the broker and what is wanted in front of it.
func (r *Rig) startKafka(ctx context.Context, o Options) error {
	ports, err := freePorts(haproxyPorts + 3*gatewayPorts)
	if err != nil {
		return err
	}
	r.ports = ports + haproxyPorts + gatewayPorts
	if r.issuer, err = throwaway.Start(); err != nil {
		return err
	}
	if r.Broker, err = startBroker(ctx, o.Root, r.dir, r.certificates, ports); err != nil {
		return err
	}
	if o.HAProxy {
		r.HAProxy, err = startHAProxy(ctx, r.dir, ports, r.Broker)
		if err != nil && !errors.Is(err, exec.ErrNotFound) {
			return err
		}
	}
	if o.Gateway {
		if r.Gateway, err = startGateway(ctx, r.program, r.dir, ports+haproxyPorts, r.Broker, r.issuer.URL(), false); err != nil {
			return err
		}
	}
	if o.Operations {
		r.Operations, err = startGateway(ctx, r.program, r.dir, r.ports+gatewayPorts, r.Broker, r.issuer.URL(), true)
		return err
	}
	return nil
}

// Token is a token of the user's that the gateway believes. Its issuer's keys are fetched once and cached.
func (r *Rig) Token() (string, error) {
	return r.issuer.Sign(r.issuer.Claims(User, audience, 24*time.Hour))
}

// FreshHAProxy starts another HAProxy, which has done nothing yet; the caller stops it. Only one runs at a time.
func (r *Rig) FreshHAProxy(ctx context.Context) (*HAProxy, error) {
	return startHAProxy(ctx, r.dir, r.ports, r.Broker)
}

// FreshGateway starts another gateway, which has done nothing yet; the caller stops it. Only one runs at a time.
func (r *Rig) FreshGateway(ctx context.Context) (*Gateway, error) {
	return startGateway(ctx, r.program, r.dir, r.ports, r.Broker, r.issuer.URL(), false)
}

// File writes a file that goes with the rig and returns its path.
func (r *Rig) File(name, content string) (string, error) {
	path := filepath.Join(r.dir, name)
	return path, os.WriteFile(path, []byte(content), 0o600)
}

// TLS is a client's side of TLS. Every connection is a full handshake: there is nothing to resume sessions from.
func (r *Rig) TLS() (*tls.Config, error) {
	ca, err := os.ReadFile(r.Certificate("ca.crt"))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "localhost", RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(ca) {
		return nil, errors.New("the rig's authority is no certificate")
	}
	return config, nil
}

// Certificate is the path of a certificate or key that examples/kafka/certificates.sh made, e.g. "ca.crt".
func (r *Rig) Certificate(file string) string { return filepath.Join(r.certificates, file) }

// Stop ends everything and deletes what was written.
func (r *Rig) Stop() {
	if r.Operations != nil {
		r.Operations.Stop()
	}
	if r.Gateway != nil {
		r.Gateway.Stop()
	}
	if r.HAProxy != nil {
		r.HAProxy.Stop()
	}
	if r.Broker != nil {
		r.Broker.Stop()
	}
	if r.MQTT != nil {
		r.MQTT.stop()
	}
	if r.issuer != nil {
		r.issuer.Close()
	}
	_ = os.RemoveAll(r.dir)
}

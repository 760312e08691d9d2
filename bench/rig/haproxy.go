package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// HAProxy is what a proxy that does nothing costs: bytes passed blindly, with TLS ended or not, on HAProxy's defaults.
type HAProxy struct {
	*Process

	Clear    string // to the forward listener, which is advertised here
	TLS      string // TLS ended here, clear to the broker
	SASL     string // to the SASL listener
	SASLTLS  string // to the SASL listener inside TLS, which the broker ends
	listens  []string
	settings strings.Builder
}

// haproxyPorts is how many consecutive ports it takes.
const haproxyPorts = 4

// startHAProxy starts HAProxy on consecutive ports in front of the broker.
func startHAProxy(ctx context.Context, dir string, ports int, b *Broker) (*HAProxy, error) {
	h := newHAProxy()
	h.Clear = h.listen(ports, "", b.Address(kafkatest.Forward))
	h.TLS = h.listen(ports+1, " ssl crt "+b.Certificate("gateway-server.pem"), b.Address(kafkatest.Plaintext))
	h.SASL = h.listen(ports+2, "", b.Address(kafkatest.SASL))
	h.SASLTLS = h.listen(ports+3, "", b.Address(kafkatest.SASLTLS))
	if err := h.start(ctx, dir); err != nil {
		return nil, err
	}
	return h, nil
}

func newHAProxy() *HAProxy {
	h := &HAProxy{}
	h.settings.WriteString("global\n  maxconn 5000\n" +
		"defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 10m\n  timeout server 10m\n")
	return h
}

// start starts the process and waits until every port accepts.
func (h *HAProxy) start(ctx context.Context, dir string) error {
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(h.settings.String()), 0o600); err != nil {
		return err
	}
	var err error
	if h.Process, err = launch(dir, "haproxy", "-db", "-f", file); err != nil {
		return err
	}
	err = h.wait(ctx, func() bool {
		for _, address := range h.listens {
			if !accepts(address) {
				return false
			}
		}
		return true
	})
	if err != nil {
		h.Stop()
	}
	return err
}

// listen adds a port to the configuration.
func (h *HAProxy) listen(port int, bind, server string) string {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	fmt.Fprintf(&h.settings, "listen port-%d\n  bind %s%s\n  server broker %s\n", port, address, bind, server)
	h.listens = append(h.listens, address)
	return address
}

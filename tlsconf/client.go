package tlsconf

import "crypto/tls"

// ClientOptions are how the gateway recognises a broker, and what it shows it. Files are paths.
type ClientOptions struct {
	CA          string // PEM bundle; empty: the system's
	ServerName  string // name to expect in the certificate; empty: set it for each dial on a clone of the result
	Certificate string // PEM chain of the client certificate, leaf first; empty: none is shown
	Key         string // PEM private key of it
}

// sessions bounds the TLS sessions kept for resumption. There is one at most for each name that is dialled.
const sessions = 128

// Client loads the files of a connection to brokers. An error names the file it is about.
func Client(o ClientOptions) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         o.ServerName,
		ClientSessionCache: tls.NewLRUClientSessionCache(sessions),
	}
	if o.CA != "" {
		cas, err := loadBundle(o.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool(cas)
	}
	if o.Certificate != "" || o.Key != "" {
		pair, err := loadPair(o.Certificate, o.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

package throwaway

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (i *Issuer) configuration(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": i.url, "jwks_uri": i.url + "/jwks", "token_endpoint": i.url + "/token",
		"introspection_endpoint": i.url + "/introspect", "grant_types_supported": []string{"client_credentials"},
	})
}

func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(i.Keys())
}

// client is who asks: by HTTP Basic or in the form (RFC 6749 section 2.3.1).
func client(r *http.Request) (id, secret string) {
	if user, password, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
		return id, secret
	}
	return r.PostFormValue("client_id"), r.PostFormValue("client_secret")
}

// token is the client credentials grant (RFC 6749 section 4.4).
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	id, secret := client(r)
	var more map[string]any
	if i.Client != nil && r.PostFormValue("grant_type") == "client_credentials" {
		more = i.Client(id, secret)
	}
	if more == nil {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	claims := i.Claims(id, "", i.Lifetime)
	claims["client_id"] = id
	maps.Copy(claims, more)
	token, err := i.Sign(claims)
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(i.Lifetime.Seconds())})
}

// introspect says of its own tokens what is in them (RFC 7662), to whoever is a client.
func (i *Issuer) introspect(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	if id, secret := client(r); i.Client == nil || i.Client(id, secret) == nil {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	claims := i.active(r.PostFormValue("token"))
	if claims == nil {
		answer(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	claims["active"] = true
	answer(w, http.StatusOK, claims)
}

// active are the claims of a token that is the issuer's, alive and not revoked; nil: it is not. An opaque token is one
// of these behind "opaque-".
func (i *Issuer) active(token string) map[string]any {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.revoked[hash(token)] {
		return nil
	}
	token = strings.TrimPrefix(token, "opaque-")
	for _, k := range i.keys {
		signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(k.Algorithm)})
		if err != nil {
			continue
		}
		payload, err := signed.Verify(k.Public())
		if err != nil {
			continue
		}
		var claims map[string]any
		if json.Unmarshal(payload, &claims) != nil {
			return nil
		}
		if exp, _ := claims["exp"].(float64); exp > 0 && time.Now().After(time.Unix(int64(exp), 0)) {
			return nil
		}
		return claims
	}
	return nil
}

func fetch(ctx context.Context, at, id, secret string) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Token == "" {
		return "", errRefused
	}
	return body.Token, nil
}

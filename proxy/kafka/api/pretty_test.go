package api_test

import "encoding/json"

func pretty(m any) string { b, _ := json.Marshal(m); return string(b) }

package asyncapi

import (
	"bytes"
	"fmt"
	"sync"
	"weak"

	specs "github.com/asyncapi/spec-json-schemas/v6"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schema is the official JSON Schema of one version, prepared (see prepare) and compiled. It serves one document at a
// time: its keyword referenceOr notes the references it meets.
type schema struct {
	sync.Mutex
	source map[string]any // what was compiled, to say what else there is where something does not fit
	root   *jsonschema.Schema
	leads  []lead
}

// schemas are compiled when a document of their version comes: 3.1 takes 40 ms and 13 MB. They are kept for the next one
// as long as the memory is not wanted: a gateway needs them when it starts and when it reloads.
var schemas = struct {
	sync.Mutex // also because specs.Get must not run twice at a time
	compiled   map[string]weak.Pointer[schema]
}{compiled: map[string]weak.Pointer[schema]{}}

// schemaOf is the schema of a released version. The schemas are part of the program: that they do not compile is a
// mistake of ours, which a test would find.
func schemaOf(version string) *schema {
	schemas.Lock()
	defer schemas.Unlock()
	s := schemas.compiled[version].Value()
	if s == nil {
		s = &schema{}
		if err := s.compile(version); err != nil {
			panic(fmt.Sprintf("schema of AsyncAPI %s: %v", version, err))
		}
		schemas.compiled[version] = weak.Make(s)
	}
	return s
}

func (s *schema) compile(version string) error {
	// The variant without $id has all definitions in one resource, so that a place in it is a JSON pointer.
	raw, err := specs.Get(version + "-without-$id")
	if err != nil {
		return err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	source, ok := parsed.(map[string]any)
	if !ok {
		return fmt.Errorf("it is %T", parsed)
	}
	if err := prepare(source, version[0] == '2'); err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	for _, f := range formats {
		compiler.RegisterFormat(f)
	}
	compiler.RegisterVocabulary(s.vocabulary())
	url := "asyncapi:" + version
	if err := compiler.AddResource(url, source); err != nil {
		return err
	}
	s.source = source
	s.root, err = compiler.Compile(url)
	return err
}

// object is the part of the source that a pointer of a validation error leads to, or nil.
func (s *schema) object(tokens []string) map[string]any {
	var at any = s.source
	for _, token := range tokens {
		switch v := at.(type) {
		case map[string]any:
			at = v[token]
		case []any:
			i := listIndex(token)
			if i < 0 || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	object, _ := at.(map[string]any)
	return object
}

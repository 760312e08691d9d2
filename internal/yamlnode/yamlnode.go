// Package yamlnode reads the YAML files of an operator into a tree, with bounds and with errors for people.
package yamlnode

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Fault says why there is no tree.
type Fault struct {
	Line    int // from 1; 0 if there is none
	Column  int // in characters, from 1; 0 if there is none
	Message string
	Hint    string
}

// One reads a file that holds one YAML document, no deeper than depth. A file that is empty, or says null, has no root
// and is no fault. The root is never an alias.
func One(data []byte, depth int) (*yaml.Node, *Fault) {
	limits := loaderlimits.New(loaderlimits.DepthFunc(func(at int, _ *loaderlimits.DepthContext) error {
		if at > depth {
			return fmt.Errorf("more than %d levels deep", depth)
		}
		return nil
	}))
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(limits))
	if err != nil {
		return nil, syntax(err)
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntax(err)
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, syntax(err)
	default:
		return nil, &Fault{second.Line, second.Column, "a second YAML document begins here", "keep one document in the file"}
	}
	root := document.Content[0]
	if root.Kind == yaml.AliasNode {
		root = root.Alias
	}
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	return root, nil
}

func syntax(err error) *Fault {
	f := &Fault{Message: "not YAML: " + err.Error(), Hint: "look at the indentation and quotes of this line and the one before"}
	if load := (*yaml.LoadError)(nil); errors.As(err, &load) {
		f.Line, f.Column, f.Message = load.Mark.Line, load.Mark.Column, "not YAML: "+load.Message
		if load.ContextMsg != "" {
			f.Message += ", " + load.ContextMsg
		}
	}
	return f
}

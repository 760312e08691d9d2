package proxy

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// ErrDrainForced says that connections were cut because the drain time ran out.
var ErrDrainForced = errors.New("drain forced")

// Config is what a gateway is made of.
type Config struct {
	Plan      *plan.Plan
	Log       *zap.Logger
	Protocols []Protocol
	Directory func(*plan.Plan) (sasl.Directory, error)
}

// Gateway runs a plan.
type Gateway struct{}

// New makes a gateway.
func New(Config) (*Gateway, error) { return nil, nil }

// Run serves until ctx ends, then drains.
func (g *Gateway) Run(ctx context.Context) error { return nil }

// Reload replaces the plan.
func (g *Gateway) Reload(*plan.Plan) error { return nil }

// ReloadFailed says that a new plan could not even be made.
func (g *Gateway) ReloadFailed(error) {}

package main

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger makes the log of run. The format is json, console, or auto: console where a person reads it.
func newLogger(w io.Writer, format, level string) *zap.Logger {
	c := zap.NewProductionEncoderConfig()
	c.TimeKey = "time"
	c.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	c.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder
	if format == "console" || format == "auto" && terminal(w) {
		c.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		c.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder
	}
	least, err := zapcore.ParseLevel(level)
	if err != nil {
		least = zapcore.InfoLevel
	}
	return zap.New(auditAlways{zapcore.NewCore(encoder(c), zapcore.Lock(zapcore.AddSync(w)), least)})
}

// auditAlways is a core that writes audit records whatever the level.
type auditAlways struct{ zapcore.Core }

// Enabled is true for the level of audit records: a logger asks it before it asks Check.
func (c auditAlways) Enabled(level zapcore.Level) bool {
	return c.Core.Enabled(level) || level == zapcore.InfoLevel
}

// With keeps children from losing the exception.
func (c auditAlways) With(fields []zapcore.Field) zapcore.Core {
	return auditAlways{c.Core.With(fields)}
}

// Check adds the core for audit records, and leaves the rest to the level.
func (c auditAlways) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.LoggerName == "audit" {
		return ce.AddCore(e, c.Core)
	}
	return c.Core.Check(e, ce)
}

package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/docs/problems"
	"github.com/asyncgate/asyncgate/plan"
)

// The part of SARIF 2.1.0 (OASIS, 2020) that is written here. Section numbers are those of the standard.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string           `json:"id"`
	ShortDescription sarifText        `json:"shortDescription"`
	Help             sarifHelp        `json:"help"`
	HelpURI          string           `json:"helpUri,omitempty"`
	Default          sarifDefault     `json:"defaultConfiguration"`
	Properties       *sarifProperties `json:"properties,omitempty"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifHelp struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifDefault struct {
	Level string `json:"level"`
}

type sarifProperties struct {
	Tags []string `json:"tags"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
}

// writeSARIF writes one run over all documents, with the rules that have a result.
func writeSARIF(w io.Writer, all []Document, opt Options) error {
	rules := slices.DeleteFunc(codes(all), func(page problems.Page) bool { return !found(all, page.Code) })
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "asyncgate", Version: opt.Version, InformationURI: problems.Home, Rules: each(rules, sarifRuleOf),
		}},
		ColumnKind: "unicodeCodePoints", // 3.14.17: as asyncapi counts
		Results:    []sarifResult{},
	}
	for _, d := range all {
		for _, p := range d.Problems {
			if p.File == "" {
				p.File = d.Plan.Document // a service shows no problem that stands nowhere
			}
			index, _ := slices.BinarySearchFunc(rules, p.Code, problems.Page.Compare)
			run.Results = append(run.Results, sarifResult{
				RuleID: p.Code, RuleIndex: index, Level: string(p.Severity),
				Message:   sarifText{withoutLinks(text(p))},
				Locations: []sarifLocation{sarifLocationOf(p, opt.Base)},
				Fingerprints: map[string]string{
					"asyncgate/v1": fingerprint(p.Code, artifactURI(p.File, opt.Base), p.Pointer, p.Message),
				},
			})
		}
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifRuleOf(page problems.Page) sarifRule {
	rule := sarifRule{
		ID: page.Code, ShortDescription: sarifText{page.Summary}, Help: sarifHelp{page.Summary, page.Text}, HelpURI: page.URL(),
		Default: sarifDefault{page.Severities[0]},
	}
	if strings.HasPrefix(page.Code, "security/") {
		rule.Properties = &sarifProperties{Tags: []string{"security"}}
	}
	return rule
}

func sarifLocationOf(p plan.Problem, base string) sarifLocation {
	var at sarifLocation
	if uri := artifactURI(p.File, base); uri != "" {
		at.Physical = &sarifPhysical{Artifact: sarifArtifact{uri}}
		if p.Line > 0 {
			at.Physical.Region = &sarifRegion{p.Line, p.Column}
		}
	}
	if p.Pointer != "" {
		at.Logical = []sarifLogical{{Printable(p.Pointer)}}
	}
	return at
}

// artifactURI is a path as a relative reference, if it lies below the base, else as an absolute URI (3.4.4).
func artifactURI(path, base string) string {
	if path == "" {
		return ""
	}
	if base != "" {
		absolute := path
		if !filepath.IsAbs(absolute) {
			absolute = filepath.Join(base, absolute)
		}
		if below, err := filepath.Rel(base, absolute); err == nil && filepath.IsLocal(below) {
			path = below
		} else {
			path = absolute
		}
	}
	path = filepath.ToSlash(filepath.Clean(path))
	if filepath.IsAbs(path) {
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	return (&url.URL{Path: path}).String()
}

// withoutLinks keeps a document from putting a link into a message: viewers make one of [text](target) (3.11.6).
func withoutLinks(s string) string { return strings.ReplaceAll(s, "](", "] (") }

// fingerprint tells a problem from others, and stays when lines are added above it.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

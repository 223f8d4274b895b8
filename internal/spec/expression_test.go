package spec

import (
	"strings"
	"testing"
)

func TestConditions(t *testing.T) {
	for _, code := range []string{
		"result < 0.01",
		"result >= 1",
		"isNaN(result) || isInf(result)",
		"default(result, 0) == 0",
		"default(result, 0.5) < 1",
		"len(result) > 1 && result[0] < 1",
		"all(result, # < 1)",
		"result[0] / result[1] < 0.1",
		"result > 1 ? true : false",
	} {
		if err := checkCondition(code); err != nil {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func TestBadConditions(t *testing.T) {
	for code, want := range map[string]string{
		"result <":                      "at character 8",
		"results < 1":                   "at character 1: unknown name results",
		"result < 1 &&\n x":             "at line 2, character 2",
		"1 + 1":                         "expected bool",
		"result":                        "expected bool",
		"result == 1 && [0] < 1":        "at character",
		"\"a\" + result == 1":           "at character",
		"len(result) > 0 && result < 1": "at character", // fits neither a number nor a vector
		"now() > date(\"2026\")":        "unknown name now",
		"isNaN()":                       "not enough arguments",
	} {
		if err := checkCondition(code); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", code, err, want)
		}
	}
}

func TestQueries(t *testing.T) {
	for _, text := range []string{
		"{{.Namespace}} {{.Name}} {{.Track}} {{.Pods}} {{.Service}} {{.Revision}} {{.Interval}}",
		`{{if eq .Track "base"}}a{{else}}b{{end}}`,
		"{{$p := .Pods}}{{with .Name}}{{.}} {{$.Pods}} {{$p}}{{end}}",
		`{{printf "%q" .Name}}`,
		"{{/* nothing */}}up",
	} {
		if err := checkQuery(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBadQueries(t *testing.T) {
	for text, want := range map[string]string{
		"{{.Podz}}":                        "no field `.Podz`: did you mean `Pods`?",
		"{{.Pods.Name}}":                   "no field `.Pods.Name`",
		"{{if false}}{{.Nope}}{{end}}":     "no field `.Nope`",
		"{{if .A}}{{end}}":                 "no field `.A`",
		"{{if true}}{{else}}{{.B}}{{end}}": "no field `.B`",
		"{{with .Pods}}{{$.C}}{{end}}":     "no field `.C`",
		"{{printf \"%s\" (printf .D)}}":    "no field `.D`",
		"{{define \"x\"}}{{.E}}{{end}}":    "no field `.E`",
		"{{template \"x\" .F}}":            "no field `.F`",
		"{{(.Pods).G}}":                    "no field `.G`",
		"{{range .Pods}}{{end}}":           "nothing to range over",
		"{{":                               "cannot be read",
		"{{nope}}":                         "cannot be read",
	} {
		if err := checkQuery(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

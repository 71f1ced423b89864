package oms

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/provenir/provenir/passport"
)

var model = fstest.MapFS{"config.json": {Data: []byte("{}")}, "model.safetensors": {Data: []byte("w")}, "a/b.txt": {}}

func bundle(t *testing.T) []byte {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	files, err := passport.Files(model)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Sign(passport.Key{PrivateKey: private}, "org/name", files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStatement(t *testing.T) {
	b, err := passport.DecodeBundle(bundle(t))
	if err != nil {
		t.Fatal(err)
	}
	payload, _, err := b.DSSEEnvelope.Open()
	if err != nil {
		t.Fatal(err)
	}
	var got statement
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	files, err := passport.Files(model)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Subject) != 1 || got.Subject[0].Digest["sha256"] != passport.Root(files) || got.PredicateType != PredicateType {
		t.Errorf("%+v", got)
	}
	var listed []string
	for _, r := range got.Predicate.Resources {
		listed = append(listed, r.Name)
	}
	if !slices.Equal(listed, []string{"a/b.txt", "config.json", "model.safetensors"}) {
		t.Errorf("resources %q", listed)
	}
	if err := passport.RequireCanonical(payload); err != nil {
		t.Error(err)
	}
}

// The published schemas say what a public verifier expects. They are read where they lie and not kept here.
func TestThePublishedSchemasHold(t *testing.T) {
	s := schemas{t, map[string]map[string]any{}}
	dir := filepath.Join("..", "..", "..", "..", "shared", "schemas", "oms-v1.0")
	for _, name := range []string{"bundle", "envelope", "statement", "predicate"} {
		b, err := os.ReadFile(filepath.Join(dir, name+".schema.json"))
		if err != nil {
			t.Skipf("the OMS schemas are not here, so the form of model.sig was not compared with them: %v", err)
		}
		var doc map[string]any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		s.all[doc["$id"].(string)] = doc
	}
	const id = "https://model_signing/%/v1.0/schema"
	of := func(name string) map[string]any { return s.all[strings.Replace(id, "%", name, 1)] }
	raw := bundle(t)
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	b, err := passport.DecodeBundle(raw)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(b.DSSEEnvelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	var inner map[string]any
	if err := json.Unmarshal(payload, &inner); err != nil {
		t.Fatal(err)
	}
	if why := s.wrong(of("bundle"), of("bundle"), whole); why != "" {
		t.Error("bundle:", why)
	}
	if why := s.wrong(of("statement"), of("statement"), inner); why != "" {
		t.Error("statement:", why)
	}
	// The checker itself must see what is wrong: each key that is taken away, and one too many.
	for _, key := range slices.Collect(maps.Keys(inner)) {
		less := maps.Clone(inner)
		delete(less, key)
		if s.wrong(of("statement"), of("statement"), less) == "" {
			t.Errorf("a statement without %s holds", key)
		}
	}
	more := maps.Clone(inner["predicate"].(map[string]any))
	more["extra"] = 1
	if s.wrong(of("predicate"), of("predicate"), more) == "" {
		t.Error("a predicate with an extra key holds")
	}
}

// schemas checks what these four schemas use of JSON Schema: it is a ruler for this test and no validator.
type schemas struct {
	t   *testing.T
	all map[string]map[string]any
}

func (s schemas) wrong(root, schema map[string]any, v any) string {
	if ref, ok := schema["$ref"].(string); ok {
		if name, local := strings.CutPrefix(ref, "#/$defs/"); local {
			return s.wrong(root, root["$defs"].(map[string]any)[name].(map[string]any), v)
		}
		return s.wrong(s.all[ref], s.all[ref], v)
	}
	if c, ok := schema["const"]; ok && c != v {
		return "not the constant"
	}
	if e, ok := schema["enum"].([]any); ok && !slices.Contains(e, v) {
		return "not in the enumeration"
	}
	switch x := v.(type) {
	case map[string]any:
		return s.object(root, schema, x)
	case []any:
		return s.array(root, schema, x)
	case string:
		if p, ok := schema["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(x) {
			return x + " does not match " + p
		}
		if n, ok := schema["minLength"].(float64); ok && len(x) < int(n) {
			return "too short"
		}
	}
	if t, ok := schema["type"].(string); ok && !map[string]bool{"string": is[string](v), "boolean": is[bool](v), "integer": is[float64](v)}[t] {
		return "not a " + t
	}
	return ""
}

func is[T any](v any) bool { _, ok := v.(T); return ok }

func (s schemas) array(root, schema map[string]any, x []any) string {
	if n, ok := schema["minItems"].(float64); ok && len(x) < int(n) {
		return "too few items"
	}
	if n, ok := schema["maxItems"].(float64); ok && len(x) > int(n) {
		return "too many items"
	}
	items, _ := schema["items"].(map[string]any)
	for _, v := range x {
		if why := s.wrong(root, items, v); why != "" {
			return why
		}
	}
	return ""
}

func (s schemas) object(root, schema, x map[string]any) string {
	required, _ := schema["required"].([]any)
	for _, k := range required {
		if _, ok := x[k.(string)]; !ok {
			return "no " + k.(string)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for k, v := range x {
		p, known := properties[k].(map[string]any)
		if !known {
			if schema["additionalProperties"] == false {
				return "unknown " + k
			}
			p, _ = schema["additionalProperties"].(map[string]any)
		}
		if why := s.wrong(root, p, v); why != "" {
			return k + ": " + why
		}
	}
	if forms, ok := schema["anyOf"].([]any); ok && !slices.ContainsFunc(forms, func(f any) bool { return s.wrong(root, f.(map[string]any), x) == "" }) {
		return "fits none of anyOf"
	}
	return ""
}

func TestOneModelHasOneStatement(t *testing.T) {
	a, err := passport.DecodeBundle(bundle(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := passport.DecodeBundle(bundle(t))
	if err != nil || a.DSSEEnvelope.Payload != b.DSSEEnvelope.Payload || bytes.Equal([]byte(a.DSSEEnvelope.Signatures[0].Sig), []byte(b.DSSEEnvelope.Signatures[0].Sig)) {
		t.Errorf("two keys sign one statement differently, %v", err)
	}
}

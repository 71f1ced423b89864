package rl

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/protoyaml"
	"github.com/provenir/provenir/internal/spectext"
)

// maxOptionFile bounds a file that an option names: a schema, a program.
const maxOptionFile = 1 << 20

// ParseVerifier reads name, name:option=value,…, or a YAML file. A value @FILE is what the file holds. What an option means
// is the verifier's to say.
func ParseVerifier(text string) (*verifierv1.Spec, error) {
	name, given, err := spectext.Parse(text)
	if isFile(text) && given == nil { // with options it is a line whose last value ends as a file does
		b, err := os.ReadFile(text)
		if err != nil {
			return nil, err
		}
		spec := &verifierv1.Spec{}
		return spec, protoyaml.Unmarshal(text, b, spec)
	}
	if err != nil {
		return nil, err
	}
	spec := &verifierv1.Spec{Name: name}
	if given == nil {
		return spec, nil
	}
	options := make(map[string]any, len(given))
	for option, v := range given {
		options[option] = v.Scalar()
		if file, is := strings.CutPrefix(v.Text, "@"); is && !v.Quoted {
			if options[option], err = optionFile(file); err != nil {
				return nil, fmt.Errorf("option %s of %s: %w; a text that begins with @ is written in quotes", option, name, err)
			}
		}
	}
	spec.Options, err = structpb.NewStruct(options)
	return spec, err
}

func isFile(text string) bool {
	for _, end := range []string{".yaml", ".yml", ".json"} {
		if strings.HasSuffix(text, end) {
			return true
		}
	}
	return false
}

func optionFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxOptionFile+1))
	if err = errors.Join(err, f.Close()); err == nil && len(b) > maxOptionFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxOptionFile)
	}
	return string(b), err
}

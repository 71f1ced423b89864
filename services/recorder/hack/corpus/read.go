package corpus

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

const maxLine = 4 << 20

func eachLine(r io.Reader, f func([]byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if err := f(s.Bytes()); err != nil {
			return err
		}
	}
	return s.Err()
}

// Problems reads HumanEval.jsonl.gz.
func Problems(path string) ([]Problem, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var out []Problem
	err = eachLine(z, func(b []byte) error {
		var p Problem
		if err := json.Unmarshal(b, &p); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

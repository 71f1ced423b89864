package detect

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The table of the document has every kind and every setting, and no other default than the code's.
func TestDocumentMatchesTheCode(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "detectors.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	rows := map[string]string{} // kind: its row
	for _, line := range strings.Split(doc, "\n") {
		if kind, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); ok && strings.HasPrefix(line, "| `") {
			rows[kind] = rest
		}
	}
	for _, k := range Kinds() {
		if _, ok := rows[k]; !ok {
			t.Errorf("%s has no row", k)
		}
		delete(rows, k)
	}
	for k := range rows {
		t.Errorf("%s is documented and no detector finds it", k)
	}
	for name, s := range settings {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("the setting %s is not documented", name)
			continue
		}
		if name == "reward_range" || s.unset { // a scale and no limit; or none by default
			continue
		}
		if !nearby(doc, name, s.value) {
			t.Errorf("the document does not give the default %g of %s beside it", s.value, name)
		}
	}
}

// nearby tells that a line with the setting has the number.
func nearby(doc, name string, value float64) bool {
	number := strconv.FormatFloat(value, 'g', -1, 64)
	number = strings.Replace(number, "e-0", "e-", 1)
	if value == 1e-4 {
		number = "1e-4"
	}
	for _, line := range strings.Split(doc, "\n") {
		if strings.Contains(line, "`"+name+"`") && strings.Contains(line, number) {
			return true
		}
	}
	return false
}

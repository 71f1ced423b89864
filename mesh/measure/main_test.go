package measure

import (
	"os"
	"testing"

	"github.com/provenir/provenir/mesh"
)

func TestMain(m *testing.M) {
	mesh.Init()
	os.Exit(m.Run())
}

package mesh_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/internal/config"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/mesh"
	"github.com/provenir/provenir/mesh/meshtest"
)

// The recorder of a mesh reaches its governance, although that is built later: whoever has both public keys can check a
// finished run's folder against either.
func TestARunOfAMeshIsCosigned(t *testing.T) {
	run, dir := meshtest.Undisturbed(t, 7, 2, nil)
	b, err := os.ReadFile(filepath.Join(dir, "keys", "cosigner.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := ledger.ParseCosigner(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	reports, err := ledger.VerifyRun(t.Context(), os.DirFS(filepath.Join(dir, "ledger", "default", run.GetUid())),
		ledger.VerifyOptions{Cosigners: note.VerifierList(cosigner)})
	if err != nil || len(reports) != len(ledger.Logs) {
		t.Fatalf("%v, %v", reports, err)
	}
	for _, r := range reports {
		if !r.OK() || len(r.Cosigners) != 1 {
			t.Errorf("%s: cosigners %v, damages %v", r.Log, r.Cosigners, r.Damages)
		}
	}
	bom, err := os.ReadFile(filepath.Join(run.GetPassportFolder(), "bom.json"))
	if err != nil || strings.Contains(string(bom), `"cosigned":false`) || !strings.Contains(string(bom), `"cosigned":true`) {
		t.Errorf("the BOM does not say that the ledger is cosigned: %v", err)
	}
}

// A recorder alone is of use.
func TestARecorderRunsWithoutGovernance(t *testing.T) {
	s, err := config.Resolve(config.Sources{Flags: map[string]string{"data": t.TempDir(), "log.level": "error"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mesh.Start(t.Context(), mesh.Config{Settings: s, Roles: []mesh.Role{mesh.Recorder}, Private: true, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(); err != nil {
		t.Error(err)
	}
}

package mesh

import (
	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// Init must be the first thing that a program with a mesh does, a test's TestMain too: the sandbox of the verifier starts
// the program's own file again, and there this does not return.
func Init() { sandbox.Init(sandbox.Worker{Name: rules.WorkerName, Run: rules.Work}) }

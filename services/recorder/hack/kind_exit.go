package hack

import (
	"strings"

	"github.com/provenir/provenir/services/recorder/hack/pyast"
)

// exits finds programs that end before they are judged. What a script does under its guard, or when it is used wrongly, is
// how programs end.
func (r *reading) exits(n *pyast.Node, name string, at site) {
	hard := false
	switch name {
	case "sys.exit", "exit", "quit":
	case "os._exit", "posix._exit", "os.abort", "signal.raise_signal":
		hard = true
	case "os.kill", "os.killpg":
		if len(n.Kids) < 2 || !strings.HasPrefix(r.callee(n.Kids[1]), "os.getp") || r.callee(n.Kids[1]) == "os.getppid" {
			return
		}
		hard = true
	default:
		return
	}
	r.leaves(n, n.Kids[1:], hard, at)
}

// callee resolves the function of a call.
func (r *reading) callee(n *pyast.Node) string {
	if n.Kind != pyast.Call {
		return ""
	}
	return r.resolve(n.Kids[0])
}

func (r *reading) raised(n *pyast.Node, at site) {
	if len(n.Kids) == 0 {
		return
	}
	x := n.Kids[0]
	var args []*pyast.Node
	if x.Kind == pyast.Call {
		x, args = x.Kids[0], x.Kids[1:]
	}
	switch name := r.resolve(x); name {
	case "SystemExit":
		r.leaves(n, args, false, at)
	case "unittest.SkipTest", "pytest.skip.Exception":
		r.find(TestTampering, !at.cond && (at.def == nil || !r.suite), n, "it raises what makes test runners skip")
	}
}

func (r *reading) leaves(n *pyast.Node, args []*pyast.Node, hard bool, at site) {
	if at.main && (!hard || at.def == nil) {
		return
	}
	good := len(args) == 0 // an exit that says that all is well
	if len(args) > 0 {
		a := args[0]
		good = a.Kind == pyast.Num && a.Text == "0" || a.Kind == pyast.Name && (a.Text == "None" || a.Text == "False") || r.resolve(a) == "os.EX_OK"
	}
	switch {
	case hard:
		r.find(EarlyExit, true, n, "it ends the process without cleaning up, which no test can see")
	case at.test && good:
		r.find(EarlyExit, true, n, "a test that ends the runner")
	case at.def != nil && r.task.entry(at.def.Text):
		r.find(EarlyExit, good, n, "the function under test ends the process")
	case at.def == nil && !at.cond && (good || !r.stdin):
		if at.class == nil && r.last(n) && r.stdin {
			return // a script that ends with its last line
		}
		r.find(EarlyExit, good, n, "loading the module ends the process")
	case at.def == nil && good && !r.stdin && !at.handler && len(r.task.entries) > 0:
		r.find(EarlyExit, false, n, "loading the module may end the process")
	case at.def != nil && good && !at.cond && len(r.task.entries) == 0 && isLast(at.def, n):
		r.find(EarlyExit, false, n, "a function ends the process")
	}
}

// last says whether a node is in the last statement of the module.
func (r *reading) last(n *pyast.Node) bool {
	b := r.m.Body
	return len(b) > 0 && b[len(b)-1].Start <= n.Start
}

func isLast(def, n *pyast.Node) bool {
	return len(def.Body) > 0 && def.Body[len(def.Body)-1].Start <= n.Start
}

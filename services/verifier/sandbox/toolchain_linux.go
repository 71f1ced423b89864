package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// toolchains remembers those that were found: a compiler is asked where its files are once a pool. One that was not found is looked
// for again, as it may have been installed since.
type toolchains struct {
	mu    sync.Mutex
	found map[string]language
}

func (t *toolchains) find(name string, root *rootPlan) (language, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l, ok := t.found[name]; ok {
		return l, ""
	}
	l, missing := findLanguage(name, root)
	if missing == "" && l.locate != nil {
		if t.found == nil {
			t.found = map[string]language{}
		}
		t.found[name] = l
	}
	return l, missing
}

// askWithin bounds asking a compiler where its files are.
const askWithin = 10 * time.Second

// locateRust finds rustc where jobs see it, else through what PATH finds: rustup keeps toolchains in a home, of which jobs are shown
// the one toolchain and nothing else, if their user can read it.
func locateRust(l language, root *rootPlan) (language, string) {
	if path, _ := findTool("gcc", root); path == "" {
		return l, "gcc, which links its programs, is not in " + strings.Join(toolFolders, " or ")
	}
	given, real := findTool(l.tool, root)
	if given == "" {
		var err error
		if given, err = exec.LookPath(l.tool); err != nil {
			return l, l.tool + " is not in " + strings.Join(toolFolders, " or ") + ", nor on PATH"
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, given, "--print", "sysroot")
	cmd.Dir = "/" // a toolchain file of some project's is not meant
	out, err := cmd.Output()
	if err != nil {
		return l, fmt.Sprintf("%s --print sysroot: %v", given, err)
	}
	home, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		return l, "its toolchain: " + err.Error()
	}
	if real != "" && root.shows(real) && strings.HasPrefix(real, home+"/") {
		return l.at(real, home), ""
	}
	if reason := refusePrefix(home, os.Getenv("HOME")); reason != "" {
		return l, "its toolchain: " + reason
	}
	tool := filepath.Join(home, "bin", l.tool)
	if err := readableBySandbox(tool); err != nil {
		return l, fmt.Sprintf("the toolchain %s cannot be used by the sandbox's user: %v; install it where everybody can read it, as /usr/local or /opt", home, err)
	}
	if !root.shows(tool) {
		l.trees = []string{home}
	}
	return l.at(tool, home), ""
}

// locateJava finds a JDK by its javac. Distributions keep its settings, without which much of its library does not start, below /etc.
func locateJava(l language, root *rootPlan) (language, string) {
	_, real := findTool(l.tool, root)
	if real == "" {
		return l, l.tool + " is not in " + strings.Join(toolFolders, " or ")
	}
	home := filepath.Dir(filepath.Dir(real))
	for _, name := range []string{"java", "jar"} {
		if !root.shows(filepath.Join(home, "bin", name)) {
			return l, filepath.Join(home, "bin", name) + " is not there"
		}
	}
	settings, err := filepath.EvalSymlinks(filepath.Join(home, "conf", "security", "java.security"))
	if err != nil {
		return l, "its settings: " + err.Error()
	}
	if err := readableBySandbox(settings); err != nil {
		return l, "its settings cannot be read by the sandbox's user: " + err.Error()
	}
	if !root.shows(settings) {
		l.trees = []string{filepath.Dir(filepath.Dir(settings))}
		l.shown = l.trees
	}
	return l.at(real, home), ""
}

package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// language is one that is not Python: a program is interpreted from /run, or compiled first.
type language struct {
	name     string
	tool     string     // interpreter or compiler; "@" in the commands stands for its path
	file     string     // name of the source
	compile  [][]string // nil where it is interpreted; one after the other they make /box/program of the source
	run      []string
	reserves bool // its runtime, or its compiler's, reserves much more address space than it uses
	threads  int  // of its runtime, beside those that the program's limit is for

	path  string   // of the tool, once it is found
	trees []string // that jobs of it see beside the others'
}

var languages = []language{
	{name: "bash", tool: "bash", file: "main.sh", run: []string{"@", "/run/main.sh"}},
	{name: "c", tool: "gcc", file: "main.c", compile: [][]string{{"@", "-O2", "-std=gnu17", "-o", "program", "main.c", "-lm"}}, run: []string{"/run/program"}},
	{name: "cpp", tool: "g++", file: "main.cpp", compile: [][]string{{"@", "-O2", "-std=gnu++17", "-o", "program", "main.cpp"}}, run: []string{"/run/program"}},
	{name: "javascript", tool: "node", file: "main.js", run: []string{"@", "/run/main.js"}, reserves: true},
	{name: "go", tool: "go", file: "main.go", compile: [][]string{
		{"@tool/compile", "-p", "main", "-complete", "-importcfg", "@library/importcfg", "-o", "main.a", "main.go"},
		{"@tool/link", "-importcfg", "@library/importcfg", "-s", "-w", "-buildid=", "-o", "program", "main.a"},
	}, run: []string{"/run/program"}, reserves: true, threads: 16},
	{name: "rust", tool: "rustc", file: "main.rs", compile: [][]string{{"@", "-O", "--edition", "2021", "-o", "program", "main.rs"}}, run: []string{"/run/program"}},
}

// toolFolders are where tools are looked for; all jobs see them.
var toolFolders = []string{"/usr/bin", "/usr/local/bin", "/usr/local/go/bin"}

// findLanguage gives a language with the path of its tool in place. missing says why it cannot be run; empty if it can.
func findLanguage(name string, root *rootPlan) (l language, missing string) {
	for _, l := range languages {
		if l.name != name {
			continue
		}
		for _, dir := range toolFolders {
			path := filepath.Join(dir, l.tool)
			// A link may lead to where jobs see nothing.
			if real, err := filepath.EvalSymlinks(path); err == nil && root.shows(real) {
				return l.with(path), ""
			}
		}
		return l, l.tool + " is not in " + strings.Join(toolFolders, " or ")
	}
	return language{}, "this build does not know it"
}

func (p *rootPlan) shows(path string) bool {
	for _, tree := range p.Trees {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && strings.HasPrefix(path, tree+"/") {
			return true
		}
	}
	return false
}

// with puts the tool's path into the commands.
func (l language) with(path string) language {
	l.path = path
	commands := l.compile
	l.compile = nil
	for _, c := range commands {
		l.compile = append(l.compile, withTool(c, path))
	}
	l.run = withTool(l.run, path)
	return l
}

func withTool(command []string, path string) []string {
	out := slices.Clone(command)
	for i := range out {
		if out[i] == "@" {
			out[i] = path
		}
	}
	return out
}

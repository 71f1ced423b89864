package sandbox

import (
	"os"
	"strings"
)

// language is one that is not Python: a program is interpreted from /run, or compiled first.
type language struct {
	name     string
	tool     string   // that must be there, under a tree that jobs see
	file     string   // name of the source
	compile  []string // nil where it is interpreted; it makes /box/program of the source
	run      []string
	reserves bool // its runtime reserves much more address space than it uses
}

var languages = []language{
	{name: "bash", tool: "/usr/bin/bash", file: "main.sh", run: []string{"/usr/bin/bash", "/run/main.sh"}},
	{name: "c", tool: "/usr/bin/gcc", file: "main.c", compile: []string{"/usr/bin/gcc", "-O2", "-std=gnu17", "-o", "program", "main.c", "-lm"}, run: []string{"/run/program"}},
	{name: "cpp", tool: "/usr/bin/g++", file: "main.cpp", compile: []string{"/usr/bin/g++", "-O2", "-std=gnu++17", "-o", "program", "main.cpp"}, run: []string{"/run/program"}},
	{name: "javascript", tool: "/usr/bin/node", file: "main.js", run: []string{"/usr/bin/node", "/run/main.js"}, reserves: true},
}

func findLanguage(name string) (language, bool) {
	for _, l := range languages {
		if l.name == name {
			return l, true
		}
	}
	return language{}, false
}

// missing says why the language cannot be run; empty if it can.
func (l *language) missing(root *rootPlan) string {
	if _, err := os.Stat(l.tool); err != nil {
		return l.tool + " is not there"
	}
	for _, tree := range root.Trees {
		if strings.HasPrefix(l.tool, tree+"/") {
			return ""
		}
	}
	return l.tool + " lies outside of what jobs see"
}

package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

	// locate finds a toolchain that is more than one file; nil looks for tool in toolFolders.
	locate func(l language, root *rootPlan) (language, string)

	path  string   // of the tool, once it is found
	trees []string // that its compiler's jobs see beside the others'
	shown []string // that its programs see too
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
	// The loader finds the libraries of Rust and Java by /proc/self/exe, which jobs do not have: LD_LIBRARY_PATH names them instead.
	{name: "rust", tool: "rustc", file: "main.rs", locate: locateRust, compile: [][]string{
		{"/usr/bin/env", "LD_LIBRARY_PATH=@home/lib", "@", "--sysroot", "@home", "-O", "-C", "linker=gcc", "-C", "codegen-units=1", "--edition", "2021", "-o", "program", "main.rs"},
	}, run: []string{"/run/program"}, reserves: true, threads: 8},
	// Jobs have no /dev/random, without which Java draws its seed from the timing of threads, for eight seconds.
	{name: "java", tool: "javac", file: "Main.java", locate: locateJava, compile: [][]string{
		{"/usr/bin/env", "LD_LIBRARY_PATH=@home/lib", "@home/bin/javac", "-J-Xmx512m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-J-XX:-UsePerfData",
			"-encoding", "UTF-8", "-d", "classes", "Main.java"},
		{"/usr/bin/env", "LD_LIBRARY_PATH=@home/lib", "@home/bin/jar", "-J-Djava.security.egd=file:/dev/./urandom", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-J-XX:-UsePerfData",
			"--create", "--file", "program", "--main-class", "Main", "-C", "classes", "."},
	}, run: []string{"/usr/bin/env", "LD_LIBRARY_PATH=@home/lib", "@home/bin/java", "-Xmx@memory", "-Xss16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-XX:-UsePerfData", "-Xshare:auto", "-Djava.security.egd=file:/dev/./urandom", "-Dfile.encoding=UTF-8", "-jar", "/run/program"}, reserves: true, threads: 32},
}

// toolFolders are where tools are looked for; all jobs see them.
var toolFolders = []string{"/usr/bin", "/usr/local/bin", "/usr/local/go/bin"}

// findLanguage gives a language with the path of its tool in place. missing says why it cannot be run; empty if it can.
func findLanguage(name string, root *rootPlan) (l language, missing string) {
	for _, l := range languages {
		if l.name != name {
			continue
		}
		if l.locate != nil {
			return l.locate(l, root)
		}
		if path, _ := findTool(l.tool, root); path != "" {
			return l.with(path), ""
		}
		return l, l.tool + " is not in " + strings.Join(toolFolders, " or ")
	}
	return language{}, "this build does not know it"
}

// findTool looks for a tool where all jobs see it, and gives what its link leads to. A link may lead to where they see nothing.
func findTool(name string, root *rootPlan) (path, real string) {
	for _, dir := range toolFolders {
		path = filepath.Join(dir, name)
		if real, err := filepath.EvalSymlinks(path); err == nil && root.shows(real) {
			return path, real
		}
	}
	return "", ""
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
func (l language) with(path string) language { return l.at(path, "") }

// at puts the tool's path and the toolchain's folder into the commands.
func (l language) at(path, home string) language {
	l.path = path
	commands := l.compile
	l.compile = nil
	for _, c := range commands {
		l.compile = append(l.compile, withTool(c, path, home))
	}
	l.run = withTool(l.run, path, home)
	return l
}

func withTool(command []string, path, home string) []string {
	out := slices.Clone(command)
	for i := range out {
		if out[i] == "@" {
			out[i] = path
		} else if home != "" {
			out[i] = strings.ReplaceAll(out[i], "@home", home)
		}
	}
	return out
}

// runs is how a program of the language is run under a memory limit: a runtime that does not know of it takes its share of the
// machine instead, and is killed where it could have collected its garbage.
func (l *language) runs(memory int64) []string {
	out := slices.Clone(l.run)
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], "@memory", strconv.FormatInt(memory>>20, 10)+"m")
	}
	return out
}

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// profile is what a zygote has at hand before it is forked. Each megabyte costs every job a fork's share, so lean is lean,
// and what takes long to import is there only for jobs that import it.
type profile struct {
	name    string
	preload []string
	heavy   []string // imported if they can be; a job that needs one finds out for itself why it cannot
	site    []string // folders of packages that jobs may import; none without site_packages
	trees   []string // that jobs see and do not import from
	env     []string
}

var leanModules = []string{"math", "re", "typing", "collections", "itertools", "functools", "heapq", "string", "bisect", "operator", "copy", "random"}

// lean is every machine's.
var lean = profile{name: "lean", preload: leanModules}

var unittestModules = []string{"unittest", "contextlib", "dataclasses", "datetime", "decimal", "fractions", "json"}

// threadless keeps a numeric library from starting threads in the zygote: a fork would take only one of them along.
var threadless = []string{"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1"}

// choose picks the profile of a job from what its sources import. It is a guess that costs or saves time and decides nothing:
// a job can import whatever is there under any profile.
func (i *Interpreter) choose(j *Job, more ...string) (profile, error) {
	p := lean
	if j.SitePackages {
		if len(i.Site) == 0 {
			return p, &LayoutError{i.Path, "it has no folder of packages; leave site_packages out, or name the Python of a virtual environment"}
		}
		p.name, p.site = "lean+site", i.Site
	}
	if len(j.trees) > 0 {
		p.name, p.trees = "lean"+strings.Join(j.trees, "+"), j.trees
		return p, nil
	}
	imports := importsOf(append(more, j.Source)...)
	switch {
	case imports["numpy"] && installed(p.site, "numpy"):
		p.name, p.heavy, p.env = "numpy+site", []string{"numpy"}, threadless
	case imports["unittest"]:
		p.name = strings.Replace(p.name, "lean", "unittest", 1)
		p.preload = slices.Concat(leanModules, unittestModules)
	}
	return p, nil
}

func installed(site []string, name string) bool {
	return slices.ContainsFunc(site, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, name, "__init__.py"))
		return err == nil
	})
}

var importLine = regexp.MustCompile(`(?m)^[ \t]*(?:from[ \t]+(\w+)[\w.]*[ \t]+import\b|import[ \t]+([^\n#;]+))`)

// importsOf are the packages that sources seem to import.
func importsOf(sources ...string) map[string]bool {
	out := map[string]bool{}
	for _, s := range sources {
		for _, m := range importLine.FindAllStringSubmatch(s, 1000) {
			for name := range strings.SplitSeq(m[1]+m[2], ",") {
				name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
				name, _, _ = strings.Cut(name, ".")
				out[name] = true
			}
		}
	}
	return out
}

// readSite finds the folders of packages: a virtual environment's, and those of the installation where there is none or it
// lets them through.
func (i *Interpreter) readSite(given string) error {
	venv := filepath.Dir(filepath.Dir(given))
	b, err := os.ReadFile(filepath.Join(venv, "pyvenv.cfg"))
	if err != nil { // no virtual environment
		i.Site = existing(i.Site)
		return nil
	}
	if reason := refusePrefix(venv, os.Getenv("HOME")); reason != "" {
		return &LayoutError{given, reason}
	}
	own := filepath.Join(venv, "lib", fmt.Sprintf("python%d.%d", i.Number[0], i.Number[1]), "site-packages")
	dirs := []string{own}
	if systemPackages.Match(b) {
		dirs = append(dirs, i.Site...)
	}
	i.Venv, i.Site = venv, existing(dirs)
	return nil
}

var systemPackages = regexp.MustCompile(`(?mi)^[ \t]*include-system-site-packages[ \t]*=[ \t]*true[ \t\r]*$`)

func existing(dirs []string) []string {
	var out []string
	for _, d := range dirs {
		if info, err := os.Stat(d); err == nil && info.IsDir() {
			out = append(out, d)
		}
	}
	return out
}

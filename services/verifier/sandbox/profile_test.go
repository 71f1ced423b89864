//go:build linux

package sandbox

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestImportsOf(t *testing.T) {
	for source, want := range map[string]string{
		"import numpy":                                 "numpy",
		"import numpy as np, os.path as p":             "numpy os",
		"from numpy.linalg import norm":                "numpy",
		"  import a\nx = 1; import b\nfrom c import d": "a c",
		"# import a\nprint('import b')":                "",
		"important = 1\nfromage = 2":                   "",
		"import a # numpy":                             "a",
		"from . import x":                              "",
	} {
		if got := strings.Join(slices.Sorted(maps.Keys(importsOf(source))), " "); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

const fakeNumpy = "def array(x): return list(x)\n"

// TestProfiles: a job finds at hand what its imports promise, sees packages only where it may, and can import everything
// else as before. The next job of another profile is not touched by it.
func TestProfiles(t *testing.T) {
	python := ownPython(t, map[string]string{"numpy/__init__.py": fakeNumpy, "other.py": "x = 5\n", "broken/__init__.py": "raise ValueError('no')\n"})
	const have = "import sys\nprint('numpy' in sys.modules, 'unittest' in sys.modules)\n"
	for _, tier := range []Tier{T3, T2} {
		p := pool(t, Config{MinTier: tier, MaxTier: tier, Python: python, PoolSize: 1})
		for _, tt := range []struct {
			name, source, profile, out string
			site                       bool
		}{
			{"lean", have, "lean", "False False\n", false},
			{"unittest", have + "import unittest\n", "unittest", "False True\n", false},
			{"no packages without leave", "try:\n    import other\nexcept ImportError: print('none')", "lean", "none\n", false},
			{"no numpy without leave", have + "try:\n    import numpy\nexcept ImportError: print('none')", "lean", "False False\nnone\n", false},
			{"packages", "import other\nprint(other.x)", "lean+site", "5\n", true},
			{"numpy", have + "import numpy as np\nprint(np.array((1, 2)))", "numpy+site", "True False\n[1, 2]\n", true},
			{"unittest with packages", have + "import unittest, other", "unittest+site", "False True\n", true},
			{"lean again", have, "lean", "False False\n", false},
			{"threads", "import numpy, os\nprint(os.environ.get('OMP_NUM_THREADS'))", "numpy+site", "1\n", true},
		} {
			t.Run(tier.String()+"/"+tt.name, func(t *testing.T) {
				r, err := p.Run(t.Context(), Job{Source: tt.source, SitePackages: tt.site})
				if err != nil || string(r.Stdout) != tt.out {
					t.Errorf("%q, want %q: %v %s", r.Stdout, tt.out, err, r.Stderr)
				}
				if got := p.idle[0].zygote.name; got != tt.profile {
					t.Errorf("profile %s, want %s", got, tt.profile)
				}
			})
		}
	}
}

// TestBrokenPackage: a numpy that cannot be imported does not end the zygote; the job is told by its own import.
func TestBrokenPackage(t *testing.T) {
	p := pool(t, Config{Python: ownPython(t, map[string]string{"numpy/__init__.py": "raise ValueError('no')\n"}), PoolSize: 1})
	r, err := p.Run(t.Context(), Job{Source: "import numpy", SitePackages: true})
	if err != nil || r.Exception != "ValueError" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestPackagesDigest: what jobs may import is part of what a verifier is.
func TestPackagesDigest(t *testing.T) {
	python := ownPython(t, map[string]string{"a.py": "x = 1\n"})
	digest := func() string {
		t.Helper()
		p := pool(t, Config{Python: python, PoolSize: 1})
		d, err := p.Packages(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one := digest()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(python)), "lib", "*", "site-packages"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	put(t, filepath.Join(found[0], "b.py"), "y = 1\n", 0o644)
	if two := digest(); two == one {
		t.Error("a package more gives the same digest")
	}
}

func TestNoPackages(t *testing.T) {
	i := &Interpreter{Path: "/x"}
	var layout *LayoutError
	if _, err := i.choose(&Job{SitePackages: true}); !errors.As(err, &layout) {
		t.Errorf("%v", err)
	}
}

// BenchmarkUnittest is what the profile saves a job that imports unittest; the scan does not see the other spelling.
func BenchmarkUnittest(b *testing.B) {
	for name, source := range map[string]string{"profile": "import unittest", "lean": "__import__('unittest')", "nothing": "pass"} {
		b.Run(name, func(b *testing.B) {
			p, err := New(Config{PoolSize: 1}, Deps{})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			var cpu float64
			if _, err := p.Run(b.Context(), Job{Source: source}); err != nil {
				b.Skip(err)
			}
			for b.Loop() {
				r, err := p.Run(b.Context(), Job{Source: source})
				if err != nil || r.ExitCode != 0 {
					b.Fatal(r, err)
				}
				cpu += r.Usage.CPU.Seconds() * 1e3
			}
			b.ReportMetric(cpu/float64(b.N), "job-cpu-ms/op")
		})
	}
}

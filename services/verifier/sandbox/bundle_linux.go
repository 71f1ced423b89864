package sandbox

import (
	"embed"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

//go:embed py/*.py
var pythonFiles embed.FS

// bootstrap is all that stands on the interpreter's command line: it reads the bundle and starts init.py.
const bootstrap = `import os,sys,types
from marshal import loads
b=b""
while True:
    x=os.read(5,1<<20)
    if not x: break
    b+=x
os.close(5)
conf=loads(b)
del b,x
for name,text in conf["files"]:
    m=types.ModuleType(name); sys.modules[name]=m
    exec(compile(text,"<provenir/"+name+".py>","exec"),m.__dict__)
sys.modules["init"].main(conf)`

// order is that in which the files need each other.
var order = []string{"fault", "standard", "peer", "spawn", "candidate", "pytestlike", "suite", "collected", "runner", "remote", "judge", "program", "init"}

// bundle is everything that a zygote gets to know.
func bundle(p profile, landlock plain.Value, l layout) ([]byte, error) {
	var files plain.List
	for _, name := range order {
		b, err := pythonFiles.ReadFile("py/" + name + ".py")
		if err != nil {
			return nil, fmt.Errorf("read the embedded Python: %w", err)
		}
		files = append(files, plain.Tuple{plain.Str(name), plain.Str(b)})
	}
	number := func(name string, n int) plain.Pair { return plain.Pair{Key: plain.Str(name), Value: int64(n)} }
	return plain.Append(nil, plain.Dict{
		{Key: plain.Str("files"), Value: files},
		{Key: plain.Str("preload"), Value: strs(p.preload)},
		{Key: plain.Str("heavy"), Value: strs(p.heavy)},
		{Key: plain.Str("site"), Value: strs(p.site)},
		{Key: plain.Str("landlock"), Value: landlock},
		{Key: plain.Str("clone_flags"), Value: l.cloneFlags(unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC)},
		{Key: plain.Str("judge_flags"), Value: l.cloneFlags(unix.CLONE_NEWPID)},
		{Key: plain.Str("shared"), Value: l.shared()},
		{Key: plain.Str("groups"), Value: plain.Str(l.innerGroups())},
		{Key: plain.Str("syscalls"), Value: plain.Dict{
			number("clone", unix.SYS_CLONE), number("capset", unix.SYS_CAPSET), number("seccomp", unix.SYS_SECCOMP),
			number("landlock_create_ruleset", unix.SYS_LANDLOCK_CREATE_RULESET), number("landlock_add_rule", unix.SYS_LANDLOCK_ADD_RULE),
			number("landlock_restrict_self", unix.SYS_LANDLOCK_RESTRICT_SELF),
		}},
		{Key: plain.Str("seccomp"), Value: plain.Dict{
			{Key: plain.Str("python"), Value: plain.Bytes(seccompPython(l.shared()))},
			{Key: plain.Str("native"), Value: plain.Bytes(seccompNative(l.shared()))},
		}},
	})
}

//go:build linux

package sandbox

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLanguages(t *testing.T) {
	tests := []struct {
		name, language, source string
		want                   string
		exit                   int
		limit                  Limit
		compile                string
	}{
		{name: "bash", language: "bash", source: "read a b\necho $((a + b))", want: "7\n"},
		{name: "bash pipes", language: "bash", source: "cat | tr ' ' '\\n' | sort -r", want: "4\n3\n"},
		{name: "bash exit", language: "bash", source: "exit 3", exit: 3},
		{name: "bash host", language: "bash", source: "cat /etc/passwd || ls /proc || echo x > /usr/x || exit 9", exit: 9},
		{name: "bash bomb", language: "bash", source: ":(){ :|:& };:\nwait", limit: "any"},
		{name: "bash leaves a child", language: "bash", source: "sleep 60 &\necho 1", want: "1\n"},
		{name: "bash leaves one that let go", language: "bash", source: "(setsid sleep 60 </dev/null >/dev/null 2>&1 &) ; echo 1", want: "1\n"},
		{name: "bash waits", language: "bash", source: "sleep 0.01 &\nwait\necho 1", want: "1\n"},
		{name: "bash signals everybody", language: "bash", source: "trap '' TERM INT\nkill -TERM -1; kill -KILL 1; echo 1", want: "1\n"},
		{name: "bash kills itself", language: "bash", source: "kill -KILL $$", exit: -9},
		{name: "c", language: "c", source: "#include <stdio.h>\nint main(){int a,b;scanf(\"%d %d\",&a,&b);printf(\"%d\\n\",a+b);}", want: "7\n"},
		{name: "c error", language: "c", source: "int main({", compile: "error"},
		{name: "c include", language: "c", source: "#include \"/etc/passwd\"\nint main(){}", compile: "No such file"},
		{name: "c crash", language: "c", source: "int main(){volatile int*p=0;*p=1;}", exit: -11},
		{name: "c loop", language: "c", source: "int main(){for(;;);}", limit: Timeout},
		{name: "c socket", language: "c", source: "#include <sys/socket.h>\nint main(){return socket(AF_INET,SOCK_STREAM,0)<0?5:0;}", exit: 5},
		{name: "c ptrace", language: "c", source: "#include <sys/ptrace.h>\nint main(){ptrace(PTRACE_TRACEME,0,0,0);}", limit: SecurityViolation},
		{name: "cpp", language: "cpp", source: "#include <iostream>\nint main(){int a,b;std::cin>>a>>b;std::cout<<a+b<<std::endl;}", want: "7\n"},
		{name: "go", language: "go", source: "package main\nimport \"fmt\"\nfunc main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b) }", want: "7\n"},
		{name: "go threads", language: "go", source: "package main\nimport (\"fmt\"; \"sync\")\nfunc main() { var w sync.WaitGroup; c := make(chan int, 100); for i := range 100 { w.Go(func() { c <- i }) }; w.Wait(); fmt.Println(len(c)) }", want: "100\n"},
		{name: "go error", language: "go", source: "package main\nfunc main() { x }", compile: "undefined: x"},
		{name: "go import", language: "go", source: "package main\nimport _ \"net/http\"\nfunc main() {}", compile: "net/http"},
		{name: "go exit", language: "go", source: "package main\nimport \"os\"\nfunc main() { os.Exit(3) }", exit: 3},
		{name: "go host", language: "go", source: "package main\nimport (\"fmt\"; \"os\")\nfunc main() { _, e := os.ReadFile(\"/etc/passwd\"); _, f := os.ReadDir(\"/proc\"); g := os.WriteFile(\"/usr/x\", nil, 0o644); fmt.Println(e != nil, f != nil, g != nil) }", want: "true true true\n"},
		{name: "go loop", language: "go", source: "package main\nfunc main() { for {} }", limit: Timeout},
		{name: "rust", language: "rust", source: "use std::io::*;\nfn main() { let mut s = String::new(); stdin().read_to_string(&mut s).unwrap(); let n: i32 = s.split_whitespace().map(|x| x.parse::<i32>().unwrap()).sum(); println!(\"{}\", n); }", want: "7\n"},
		{name: "rust error", language: "rust", source: "fn main() { let x: i32 = \"a\"; }", compile: "mismatched types"},
		{name: "rust include", language: "rust", source: "fn main() { println!(\"{}\", include_str!(\"/etc/passwd\")); }", compile: "couldn't read"},
		{name: "rust panic", language: "rust", source: "fn main() { panic!(\"no\") }", exit: 101},
		{name: "rust threads", language: "rust", source: "use std::thread;\nfn main() { let h: Vec<_> = (0..8).map(|i| thread::spawn(move || i)).collect(); println!(\"{}\", h.into_iter().map(|x| x.join().unwrap()).sum::<i32>()); }", want: "28\n"},
		{name: "rust loop", language: "rust", source: "fn main() { loop { std::hint::black_box(1); } }", limit: Timeout},
		{name: "rust host", language: "rust", source: "use std::fs;\nfn main() { println!(\"{} {} {}\", fs::read(\"/etc/passwd\").is_err(), fs::read_dir(\"/proc\").is_err(), fs::write(\"/usr/x\", b\"\").is_err()); }", want: "true true true\n"},
		{name: "java", language: "java", source: "import java.util.*;\npublic class Main { public static void main(String[] a) { Scanner s = new Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }", want: "7\n"},
		{name: "java of several classes", language: "java", source: "record P(int x) {}\nclass Q { int y = 4; }\nclass Main { public static void main(String[] a) { System.out.println(new P(3).x() + new Q().y); } }", want: "7\n"},
		{name: "java error", language: "java", source: "public class Main { public static void main(String[] a) { int x = \"a\"; } }", compile: "incompatible types"},
		{name: "java of another name", language: "java", source: "public class Solution { public static void main(String[] a) {} }", compile: "Solution.java"},
		{name: "java exit", language: "java", source: "class Main { public static void main(String[] a) { System.exit(3); } }", exit: 3},
		{name: "java exception", language: "java", source: "class Main { public static void main(String[] a) { throw new RuntimeException(); } }", exit: 1},
		{name: "java threads", language: "java", source: "import java.util.stream.*;\nclass Main { public static void main(String[] a) { System.out.println(IntStream.range(0, 100).parallel().sum()); } }", want: "4950\n"},
		{name: "java security", language: "java", source: "class Main { public static void main(String[] a) throws Exception { System.out.println(java.util.UUID.randomUUID().toString().length() + java.security.MessageDigest.getInstance(\"SHA-256\").digest().length); } }", want: "68\n"},
		{name: "java memory", language: "java", source: "import java.util.*;\nclass Main { public static void main(String[] a) { List<byte[]> l = new ArrayList<>(); while (true) { byte[] b = new byte[1 << 20]; Arrays.fill(b, (byte) 1); l.add(b); } } }", limit: "any"},
		{name: "java loop", language: "java", source: "class Main { public static void main(String[] a) { while (true) ; } }", limit: Timeout},
		{name: "java host", language: "java", source: "import java.io.*;\nclass Main { public static void main(String[] a) { System.out.println(new File(\"/etc/passwd\").canRead() + \" \" + new File(\"/proc/self\").exists() + \" \" + new File(\"/usr/x\").canWrite()); } }", want: "false false false\n"},
		{name: "java socket", language: "java", source: "class Main { public static void main(String[] a) throws Exception { new java.net.Socket(\"127.0.0.1\", 22); } }", exit: 1},
		{name: "java process", language: "java", source: "class Main { public static void main(String[] a) throws Exception { Process p = new ProcessBuilder(\"/usr/bin/sh\", \"-c\", \"echo 7\").start(); System.out.print(new String(p.getInputStream().readAllBytes())); } }", want: "7\n"},
		{name: "javascript", language: "javascript", source: "const [a,b]=require('fs').readFileSync(0,'utf8').trim().split(' ').map(Number);console.log(a+b)", want: "7\n"},
		{name: "javascript host", language: "javascript", source: "require('fs').readFileSync('/etc/passwd')", exit: 1},
		{name: "javascript process", language: "javascript", source: "console.log(require('child_process').execSync('echo 7').toString().trim())", want: "7\n"},
	}
	tiers(t, func(t *testing.T, p *Pool) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				limits := Limits{Wall: 10 * time.Second}
				if tt.limit != NoLimit {
					limits.Wall = 500 * time.Millisecond
				}
				r, err := p.Run(t.Context(), Job{Language: tt.language, Source: tt.source, Stdin: []byte("3 4\n"), Limits: limits})
				if errors.Is(err, ErrLanguage) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				exit := r.ExitCode
				if r.Signal != 0 {
					exit = -r.Signal
				}
				if want := strings.HasPrefix(tt.name, "bash leaves"); r.Leftover != want && tt.limit == NoLimit {
					t.Errorf("leftover %v, want %v", r.Leftover, want)
				}
				switch {
				case tt.compile != "":
					if !strings.Contains(r.CompileError, tt.compile) {
						t.Errorf("%+v, want a compile error with %q", r, tt.compile)
					}
				case tt.limit == "any":
				case r.CompileError != "":
					t.Errorf("it does not compile: %s", r.CompileError)
				case tt.limit != NoLimit:
					if r.Limit != tt.limit {
						t.Errorf("limit %q, want %q: %s", r.Limit, tt.limit, r.Stderr)
					}
				case r.Limit != NoLimit || exit != tt.exit || tt.exit == 0 && string(r.Stdout) != tt.want:
					t.Errorf("stdout %q exit %d limit %q, want %q %d: %s", r.Stdout, exit, r.Limit, tt.want, tt.exit, r.Stderr)
				}
			})
		}
		if r, err := p.Run(t.Context(), Job{Source: "print(1)"}); err != nil || string(r.Stdout) != "1\n" {
			t.Errorf("the next job: %+v %v", r, err)
		}
	})
	p := pool(t, Config{})
	if _, err := p.Run(t.Context(), Job{Language: "cobol"}); !errors.Is(err, ErrLanguage) {
		t.Errorf("got %v, want ErrLanguage", err)
	}
}

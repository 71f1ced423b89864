package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Two processes run their jobs as other users: what the one's jobs do is not counted against the other's.
func TestProcessesHaveUsersOfTheirOwn(t *testing.T) {
	const child = "PROVENIR_TEST_PRINT_UID"
	if os.Getenv(child) != "" {
		fmt.Printf("uid %d\n", sandboxUID(3))
		return
	}
	ours := sandboxUID(3)
	if os.Getuid() != 0 || ours == 65_534 {
		t.Skip("jobs run as one user here: we are not root, or the user namespace has no others")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestProcessesHaveUsersOfTheirOwn$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, after, ok := strings.Cut(string(out), "uid ")
	word, _, _ := strings.Cut(after, "\n")
	theirs, err := strconv.Atoi(word)
	if !ok || err != nil || theirs == ours || theirs < preferredUID || (theirs-ours)%blockUIDs != 0 {
		t.Errorf("ours is %d, theirs %q", ours, word)
	}
	if again := sandboxUID(3); again != ours {
		t.Errorf("%d, then %d", ours, again)
	}
}

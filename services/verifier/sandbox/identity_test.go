//go:build linux

package sandbox

import "testing"

func TestIdentity(t *testing.T) {
	p := pool(t, Config{PoolSize: 1})
	one, err := p.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, err := p.Identity(t.Context())
	if err != nil || one != two {
		t.Errorf("%+v and %+v, %v", one, two, err)
	}
	for name, s := range map[string]string{"binary": one.Binary, "library": one.Library, "inside": one.Inside} {
		if len(s) != 64 {
			t.Errorf("%s is %q", name, s)
		}
	}
	if one.Version == "" || one.Binary == one.Library {
		t.Errorf("%+v", one)
	}
}

package cache

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func TestBothKeepAndForget(t *testing.T) {
	r := miniredis.RunT(t)
	for name, url := range map[string]string{"memory": "", "redis": "redis://" + r.Addr()} {
		t.Run(name, func(t *testing.T) {
			c, err := Open(url)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, ok := c.Get(t.Context(), "k"); ok {
				t.Error("an empty cache has a value")
			}
			c.Set(t.Context(), "k", []byte("v"), time.Minute)
			if v, ok := c.Get(t.Context(), "k"); !ok || string(v) != "v" {
				t.Errorf("got %q, %v", v, ok)
			}
		})
	}
}

func TestAnAbsentServerIsAMissNotAnError(t *testing.T) {
	r := miniredis.RunT(t)
	c, err := Open("redis://" + r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r.Close()
	c.Set(t.Context(), "k", []byte("v"), time.Minute)
	if _, ok := c.Get(t.Context(), "k"); ok {
		t.Error("a cache that is away answered")
	}
	if _, err := Open("http://x"); err == nil {
		t.Error("a URL that is no Redis was accepted")
	}
}

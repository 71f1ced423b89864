package faultline

import (
	"errors"
	"testing"
)

func TestKillsAtTheCountAndStaysDead(t *testing.T) {
	killed := 0
	l := New("a.b", 2, func() error { killed++; return nil })
	if l.At("a.b") != nil || l.At("other") != nil {
		t.Fatal("killed too early")
	}
	if err := l.At("a.b"); !errors.Is(err, ErrKilled) {
		t.Fatalf("second pass: %v, want ErrKilled", err)
	}
	if err := l.At("other"); !errors.Is(err, ErrKilled) || killed != 1 {
		t.Errorf("after the kill: %v and %d kills, want ErrKilled and 1", err, killed)
	}
	if l.Hits()["a.b"] != 2 {
		t.Errorf("hits %v", l.Hits())
	}
}

func TestNilLineDoesNothing(t *testing.T) {
	var l *Line
	if l.At("x") != nil {
		t.Error("a nil line killed")
	}
}

func TestFromEnv(t *testing.T) {
	for _, bad := range []string{"x", "x:", "x:0", "x:-1", "x:y"} {
		if _, err := FromEnv(bad); err == nil {
			t.Errorf("FromEnv(%q) accepted it", bad)
		}
	}
	if l, err := FromEnv(""); l != nil || err != nil {
		t.Error("empty must arm nothing")
	}
	if l, err := FromEnv("pump.reward:3"); err != nil || l.count != 3 {
		t.Errorf("got %v, %v", l, err)
	}
}

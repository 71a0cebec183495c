package main

import (
	"testing"
	"time"
)

func waits(gate *restGate) bool {
	done := make(chan struct{})
	go func() {
		gate.wait()
		close(done)
	}()
	select {
	case <-done:
		return false
	case <-time.After(50 * time.Millisecond):
		return true
	}
}

func TestWorkRestsWhileTheHostSaysSo(t *testing.T) {
	gate := newRestGate()
	if waits(gate) {
		t.Fatal("rests although nobody asked for it")
	}
	gate.hear([]byte("\n\n"))
	if waits(gate) {
		t.Fatal("a mere beat makes it rest")
	}
	gate.hear([]byte("-\n-\n"))
	if !waits(gate) {
		t.Fatal("doesn't rest")
	}
	gate.hear([]byte("\n"))
	if !waits(gate) {
		t.Fatal("a mere beat ends the rest")
	}
	gate.hear([]byte("+\n"))
	if waits(gate) {
		t.Fatal("doesn't go on")
	}
	gate.hear([]byte("-\n+\n-\n"))
	if !waits(gate) {
		t.Fatal("the last word doesn't count")
	}
	gate.hear([]byte("+"))
}

func TestEverybodyWhoRestsGoesOn(t *testing.T) {
	gate := newRestGate()
	gate.hear([]byte{beatRest})
	resumed := make(chan struct{})
	for range 3 {
		go func() {
			gate.wait()
			resumed <- struct{}{}
		}()
	}
	gate.hear([]byte{beatGo})
	for range 3 {
		select {
		case <-resumed:
		case <-time.After(5 * time.Second):
			t.Fatal("one of them rests for ever")
		}
	}
}

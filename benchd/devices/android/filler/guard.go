package main

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	guardCommand  = "guard"
	guardLockName = "guard"
	guardPoll     = time.Second
)

// startGuard leaves a process behind that gives the space back when neither this program nor
// a later one has been at work for so long: nobody else would if the host never came back.
func startGuard(request fillRequest) error {
	if request.guardKeep == 0 {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return storageFault("find this program", err)
	}
	nothing, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return storageFault("open "+os.DevNull, err)
	}
	defer nothing.Close()
	// With our output in its hands adb would wait for it; in our session it would be hung up.
	process, err := os.StartProcess(program, []string{program, guardCommand, request.directory,
		seconds(request.guardTail), seconds(request.guardKeep)}, &os.ProcAttr{
		Files: []*os.File{nothing, nothing, nothing}, Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		return storageFault("start the guard", err)
	}
	return process.Release()
}

func seconds(duration time.Duration) string {
	return strconv.FormatFloat(duration.Seconds(), 'f', -1, 64)
}

// guard watches a directory until there is nothing left to guard.
type guard struct {
	path       string
	tail, keep time.Duration
	poll       time.Duration
	lastTouch  syscall.Timespec
	quietSince time.Time
	tailGone   bool
}

func runGuard(arguments []string) int {
	if len(arguments) != 3 {
		return exitUsage
	}
	tail, tailErr := strconv.ParseFloat(arguments[1], 64)
	keep, keepErr := strconv.ParseFloat(arguments[2], 64)
	if tailErr != nil || keepErr != nil || tail <= 0 || keep < tail {
		return exitUsage
	}
	work := &guard{path: arguments[0], tail: duration(tail), keep: duration(keep)}
	work.poll = min(guardPoll, work.tail/4)
	if err := work.onlyOne(); err != nil {
		return exitIO
	}
	for done := false; !done; {
		done = work.look()
		if !done {
			time.Sleep(work.poll)
		}
	}
	return exitDone
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}

// onlyOne waits until no other guard watches this directory; its lock ends with this process.
func (g *guard) onlyOne() error {
	flags := syscall.O_RDWR | syscall.O_CREAT | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	fd, err := retried(func() (int, error) { return syscall.Open(g.path+"/"+guardLockName, flags, 0o600) })
	if err != nil {
		return err
	}
	return interrupted(func() error { return syscall.Flock(fd, syscall.LOCK_EX) })
}

// look acts on how long it has been quiet; true when nothing is left to guard.
func (g *guard) look() bool {
	var status syscall.Stat_t
	if err := syscall.Lstat(g.path+"/"+lockName, &status); err != nil {
		return true
	}
	now := time.Now()
	if g.quietSince.IsZero() || status.Mtim != g.lastTouch {
		g.lastTouch, g.quietSince, g.tailGone = status.Mtim, now, false
		return false
	}
	quiet := now.Sub(g.quietSince)
	switch {
	case quiet >= g.keep:
		return g.clean(isOwnName)
	case quiet >= g.tail && !g.tailGone:
		return g.clean(isTailName)
	case quiet >= 3*g.poll && quiet < 4*g.poll:
		return g.clean(func(string) bool { return false })
	}
	return false
}

// clean deletes while it holds the lock; a program at work, however slow, keeps it out.
func (g *guard) clean(unwanted func(name string) bool) bool {
	where, err := openDirectory(g.path)
	if err != nil {
		var found *fault
		return !errors.As(err, &found) || found.code != codeBusy
	}
	defer where.close()
	if err := where.removeOwn(unwanted); err != nil {
		return false
	}
	// Taking the lock has touched it.
	var status syscall.Stat_t
	if err := syscall.Fstat(int(where.lock.Fd()), &status); err == nil {
		g.lastTouch = status.Mtim
	}
	left, err := where.own(isOwnName)
	tails, tailErr := where.own(isTailName)
	g.tailGone = tailErr == nil && len(tails) == 0
	return err == nil && len(left) == 0
}

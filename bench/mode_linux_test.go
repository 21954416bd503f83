package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// spinEnv has a processor's number, for a process that does nothing but keep it awake.
const spinEnv = "WASPORT_BENCH_SPIN"

// runSpinner computes on one processor, as long as nothing else does. It reports whether this
// process is for that.
func runSpinner() bool {
	cpu, err := strconv.Atoi(os.Getenv(spinEnv))
	if err != nil {
		return false
	}
	runtime.LockOSThread()
	var only unix.CPUSet
	only.Set(cpu)
	err = unix.SchedSetaffinity(0, &only)
	if err == nil {
		err = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr,
			Policy: unix.SCHED_IDLE}, 0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("awake")
	// The parent may be killed before it can end this process.
	for parent := os.Getppid(); os.Getppid() == parent; {
		for spins := 0; spins < 1e8; {
			spins++
		}
	}
	return true
}

// keepAwake has an idle-priority process compute on each processor (sched(7), SCHED_IDLE).
func keepAwake(tb testing.TB) (end func()) {
	tb.Helper()
	var spinners []*program
	for _, cpu := range processors(tb) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), spinEnv+"="+strconv.Itoa(cpu))
		p := startProcess(tb, cmd)
		p.lines.Scan()
		spinners = append(spinners, p)
	}
	return func() {
		for _, p := range spinners {
			p.stop()
		}
	}
}

// useOneCPU has this process, its guests and the programs that it starts share one processor. Go's
// scheduler then has one too, as it has in a command under taskset(1).
func useOneCPU(tb testing.TB) (end func()) {
	tb.Helper()
	all := processors(tb)
	setAffinity(tb, all[:1])
	before := runtime.GOMAXPROCS(1)
	return func() {
		setAffinity(tb, all)
		runtime.GOMAXPROCS(before)
	}
}

// processors returns the numbers of those that this process may use.
func processors(tb testing.TB) (list []int) {
	tb.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		tb.Fatal(err)
	}
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list
}

// setAffinity moves each thread of this process. Threads and processes that start later inherit it.
func setAffinity(tb testing.TB, cpus []int) {
	tb.Helper()
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range threads {
		tid, _ := strconv.Atoi(e.Name())
		if err := unix.SchedSetaffinity(tid, &set); err != nil && err != unix.ESRCH {
			tb.Fatal(err)
		}
	}
}

// busyTime returns the processor time that all programs of the machine have used, in clock ticks,
// what a hypervisor took included, and the time of all processors (proc_stat(5)).
func busyTime(tb testing.TB) (busy, all float64) {
	tb.Helper()
	f, err := os.Open("/proc/stat")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var user, nice, system, idle, iowait, irq, softirq, steal float64
	if _, err := fmt.Fscanf(f, "cpu %g %g %g %g %g %g %g %g", &user, &nice, &system, &idle,
		&iowait, &irq, &softirq, &steal); err != nil {
		tb.Fatal(err)
	}
	busy = user + nice + system + irq + softirq + steal
	return busy, busy + idle + iowait
}

// processMemory returns this process's resident memory and its page tables, in KiB
// (proc_pid_status(5)).
func processMemory() (resident, tables float64) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(b)) {
		fmt.Sscanf(line, "VmRSS: %g", &resident)
		fmt.Sscanf(line, "VmPTE: %g", &tables)
	}
	return resident, tables
}

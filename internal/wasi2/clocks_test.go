package wasi2

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/wasport/wasport/internal/system"
)

func TestClocks(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		c := form(newCaller(t, system.Config{}))
		c.wants(`1`, "clocks/monotonic-clock.resolution")
		c.wants(`(0, 1)`, "clocks/wall-clock.resolution")
		now := func() (n uint64) {
			n, _ = strconv.ParseUint(c.call("clocks/monotonic-clock.now"), 10, 64)
			return n
		}
		a := now()
		c.wants(``, "io/poll.[method]pollable.block",
			c.handle("clocks/monotonic-clock.subscribe-duration", int(time.Millisecond)))
		if b := now(); b < a+uint64(time.Millisecond) {
			t.Errorf("got %d after %d, want a millisecond more", b, a)
		}
		c.wants(``, "io/poll.[method]pollable.block",
			c.handle("clocks/monotonic-clock.subscribe-instant", now()+1000))
		before := time.Now().Unix()
		wall := c.call("clocks/wall-clock.now")
		var seconds, ns int64
		if _, err := fmt.Sscanf(wall, "(%d, %d)", &seconds, &ns); err != nil ||
			seconds < before || seconds > time.Now().Unix() || ns >= 1e9 {
			t.Errorf("got %s, want the time", wall)
		}
	})
}

func TestRandom(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		source := strings.Repeat("k", 32) + "abcdefgh" + strings.Repeat("\x01", 8) + "xyz" +
			strings.Repeat("\x02", 8) + strings.Repeat("\x03", 16)
		c := form(newCaller(t, system.Config{Random: strings.NewReader(source)}))
		c.wants(`"abcdefgh"`, "random/random.get-random-bytes", 8)
		c.wants(`""`, "random/random.get-random-bytes", 0)
		c.wants(`72340172838076673`, "random/random.get-random-u64")
		c.wants(`"xyz"`, "random/insecure.get-insecure-random-bytes", 3)
		c.wants(`144680345676153346`, "random/insecure.get-insecure-random-u64")
		c.wants(`(217020518514230019, 217020518514230019)`,
			"random/insecure-seed.insecure-seed")
		for _, name := range []string{
			"random/random.get-random-u64", "random/insecure-seed.insecure-seed",
		} {
			c.traps("wasi:"+name+": the source of random bytes failed: EOF", name)
		}
	})
}

func TestRandomOfWrongLength(t *testing.T) {
	c := newCaller(t, system.Config{})
	for _, n := range []uint64{1 << 28, 1 << 32, 1<<64 - 1} {
		c.traps(fmt.Sprintf("wasi:random/random.get-random-bytes: %d bytes do not fit a list", n),
			"random/random.get-random-bytes", n)
	}
}

// TestRandomEndsWithGuest kills a guest that asks for much from a slow source.
func TestRandomEndsWithGuest(t *testing.T) {
	ended := errors.New("ended")
	key := bytes.NewReader(make([]byte, 32))
	c := newCaller(t, system.Config{Random: iotest.TimeoutReader(key)})
	c.Kill(ended)
	if got, err := c.try("random/random.get-random-bytes", 1<<19); err != ended {
		t.Errorf("got %.20s, %v, want %v", got, err, ended)
	}
}

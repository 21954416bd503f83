package wasi2

import (
	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/wit"
)

var randomRandom = table{
	name: "wasi:random/random",
	rows: []row{
		{"get-random-bytes", "(len: u64) -> list<u8>", randomBytes, directRandomBytes},
		{"get-random-u64", "() -> u64", randomUint, nil},
	},
}

// The insecure source is the same: a guest gains nothing by a worse one.
var randomInsecure = table{
	name: "wasi:random/insecure",
	rows: []row{
		{"get-insecure-random-bytes", "(len: u64) -> list<u8>", randomBytes, directRandomBytes},
		{"get-insecure-random-u64", "() -> u64", randomUint, nil},
	},
}

var randomInsecureSeed = table{
	name: "wasi:random/insecure-seed",
	rows: []row{{"insecure-seed", "() -> tuple<u64, u64>", insecureSeed, nil}},
}

// maxGenericRandom bounds the bytes of the generic form, which makes them in the host's memory.
const maxGenericRandom = 1 << 20

func randomBytes(g *Guest, c *canon.Call) error {
	n := c.Arg(0).Uint()
	if n > maxGenericRandom {
		return trapf("%d bytes are more than %d", n, maxGenericRandom)
	}
	b := make([]byte, n)
	g.ChargeGarbage(len(b))
	c.Return(canon.Bytes(b))
	return g.random(b)
}

// directRandomBytes makes the bytes in the guest's memory, which limits their number.
func directRandomBytes(g *Guest, c *canon.Call, stack []uint64) error {
	n := stack[0]
	if n > wit.MaxSize {
		return trapf("%d bytes do not fit a list", n)
	}
	ptr, err := c.Realloc(1, uint32(n))
	if err != nil {
		return err
	}
	if err := g.random(c.View()[ptr:][:n]); err != nil {
		return err
	}
	r := c.Result()
	le.PutUint32(r, ptr)
	le.PutUint32(r[4:], uint32(n))
	return nil
}

func randomUint(g *Guest, c *canon.Call) error {
	n, err := g.randomUint()
	c.Return(canon.Uint(n))
	return err
}

func insecureSeed(g *Guest, c *canon.Call) error {
	a, err := g.randomUint()
	if err != nil {
		return err
	}
	b, err := g.randomUint()
	c.Return(canon.Tuple(canon.Uint(a), canon.Uint(b)))
	return err
}

func (g *Guest) randomUint() (uint64, error) {
	b := g.room(8)
	err := g.random(b)
	return le.Uint64(b), err
}

// random fills b. The interfaces have no error: a source that fails ends the guest.
func (g *Guest) random(b []byte) error {
	err := g.Random(b)
	if err != nil && g.Err() == nil {
		return trapf("the source of random bytes failed: %v", err)
	}
	return err
}

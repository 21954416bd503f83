package integration_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/wasport/wasport"
)

// TestTablesAreCharged grows tables within and beyond the guest's limit. A request beyond the
// table's own maximum costs nothing.
func TestTablesAreCharged(t *testing.T) {
	const failed = 1<<32 - 1
	m := compileTestdata(t, "table")
	for _, test := range []struct {
		limit    uint64
		function string
		params   []uint64
		want     []uint64
	}{
		{0, "grow", []uint64{900_000}, []uint64{1}},
		{1 << 16, "grow", []uint64{100_000}, []uint64{1}},
		{1 << 16, "grow", []uint64{900_000}, []uint64{failed}},
		{64 << 20, "grow", []uint64{900_000}, []uint64{1}},
		{64 << 20, "grow", []uint64{1_000_001}, []uint64{failed}},
		{64 << 20, "grow", []uint64{failed}, []uint64{failed}},
		{64 << 20, "both", []uint64{900_000, 10}, []uint64{1, 1}},
		// less than the limit of the memory alone
		{64 << 20, "both", []uint64{900_000, 1000}, []uint64{1, failed}},
		{64 << 20, "both", []uint64{0, 1000}, []uint64{1, 1}},
		{1 << 16, "often", []uint64{2_000_000, 10_000}, []uint64{1}},
	} {
		t.Run(
			fmt.Sprintf("%s(%d) of %d bytes", test.function, test.params, test.limit),
			func(t *testing.T) {
				c := wasport.Config{
					Function:  test.function,
					Params:    test.params,
					MaxMemory: test.limit,
				}
				status, err := m.Run(context.Background(), c)
				if err != nil || !slices.Equal(status.Results, test.want) {
					t.Errorf("got %d, %v, want %d", status.Results, err, test.want)
				}
			},
		)
	}
}

// TestGrowthOfSharedMemoryIsCharged grows a table, and then a shared memory: together they may have
// no more than each of them alone.
func TestGrowthOfSharedMemoryIsCharged(t *testing.T) {
	const failed = 1<<32 - 1
	unshared, shared := []byte("\x05\x03\x01\x00\x01"), []byte("\x05\x05\x01\x03\x01\x80\x08")
	wasm := testdata(t, "table")
	if n := bytes.Count(wasm, unshared); n != 1 {
		t.Fatalf("got %d memories of one page and no maximum, want 1", n)
	}
	m := compileModule(t, bytes.Replace(wasm, unshared, shared, 1))
	for _, row := range []struct{ entries, want uint64 }{{0, 1}, {900_000, failed}} {
		t.Run(fmt.Sprint(row.entries, " entries"), func(t *testing.T) {
			status, err := m.Run(context.Background(), wasport.Config{Function: "both",
				Params: []uint64{row.entries, 1000}, MaxMemory: 64 << 20})
			if want := []uint64{1, row.want}; err != nil || !slices.Equal(status.Results, want) {
				t.Errorf("got %d, %v, want %d", status.Results, err, want)
			}
		})
	}
}

//go:build unix

package system

import (
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// betweenRoots is the error of a rename or link between directories that were opened apart.
var betweenRoots error

// TestQuotaOfHoles has the rows for holes. Windows makes them by FSCTL_SET_SPARSE alone.
func TestQuotaOfHoles(t *testing.T) {
	const e = entrySize
	testQuotas(t, []quotaRow{
		{"fill holes", func(q quotaTest) {
			fd := q.open("holes", 0)
			q.wants("allocate", q.g.Allocate(fd, 0, 16<<20), syscall.ENOSPC)
			n, err := q.th.Pwrite(fd, [][]byte{make([]byte, 2*testQuota)}, 0)
			if n != testQuota || err != nil {
				q.Errorf("got %d, %v, want a short write of %d", n, err, testQuota)
			}
			_, err = q.th.Pwrite(fd, [][]byte{{1}}, 8<<20)
			q.wants("write more", err, syscall.ENOSPC)
		}, testQuota},
		{"holes come back as nothing", func(q quotaTest) {
			fd := q.open("new", wasi.OflagCreat)
			q.wants("lengthen", q.g.SetSize(fd, testQuota/2), nil)
			q.wants("cut", q.g.SetSize(fd, 0), nil)
		}, e + testQuota/2},
		{"what was there comes back as what it took", func(q quotaTest) {
			fd := q.open("new", wasi.OflagCreat)
			_, err := q.write(fd, testQuota)
			q.wants("write", err, nil)
			q.wants("unlink", q.g.Unlink(3, "holes"), nil)
			q.wants("unlink", q.g.Unlink(3, "old"), nil)
		}, testQuota - 2*e - 64<<10},
	})
}

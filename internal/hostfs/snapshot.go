package hostfs

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sort"
	"sync"
)

// A snapshot lists a directory as it was when its listing began, for systems without cookies that
// stay valid. The cookie of an entry is a hash of the entry's name, and names are listed in the
// order of their hashes. So a cookie stays valid when the directory changes, and when another
// listing begins.
type snapshot struct {
	// mu protects seed and names.
	mu    sync.Mutex
	seed  maphash.Seed
	names []hashedName
}

type hashedName struct {
	hash uint64
	name string
}

// listNames calls yield for the names after a cookie. read returns all names of the directory
// without "." and "..". look fills in the other fields of an entry; names that have been removed
// since are left out.
func (s *snapshot) listNames(cookie uint64, read func() ([]string, error),
	look func(e *Entry) error, yield func(Entry) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cookie == 0 || s.names == nil {
		names, err := read()
		if err != nil {
			return err
		}
		s.hash(names)
	}
	next := sort.Search(len(s.names), func(i int) bool { return s.names[i].hash > cookie })
	for _, n := range s.names[next:] {
		e := Entry{Next: n.hash, Name: []byte(n.name)}
		if look(&e) == nil && !yield(e) {
			break
		}
	}
	return nil
}

func (s *snapshot) hash(names []string) {
	if s.seed == (maphash.Seed{}) {
		s.seed = maphash.MakeSeed()
	}
	s.names = []hashedName{{1, "."}, {2, ".."}}
	for _, n := range names {
		s.names = append(s.names, hashedName{maphash.String(s.seed, n) | 4, n})
	}
	slices.SortFunc(s.names, func(a, b hashedName) int { return cmp.Compare(a.hash, b.hash) })
}

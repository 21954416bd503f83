package hostfs

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sort"
	"sync"
)

// A snapshot lists a directory as it was when its listing began, where the system has no cookies
// that last. A cookie is a hash of the name that it follows, and names are listed in the order of
// their hashes. So a cookie holds however the directory changes, and whoever else begins to list it
// anew.
type snapshot struct {
	mu    sync.Mutex
	seed  maphash.Seed
	names []hashedName
}

type hashedName struct {
	hash uint64
	name string
}

// each calls yield for the names from a cookie on. read reads all the names of the directory,
// without "." and "..", and look fills in what is known of one; names that have gone since are left
// out.
func (s *snapshot) each(cookie uint64, read func() ([]string, error), look func(e *Entry) error,
	yield func(Entry) bool) error {
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

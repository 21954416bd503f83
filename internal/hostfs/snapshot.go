package hostfs

import (
	"sync"
)

// A snapshot lists a directory as it was when its listing began. Its cookies are positions in that list, so they hold however
// the directory changes; a new listing, from cookie 0, sees the changes.
type snapshot struct {
	mu    sync.Mutex
	names []string
}

// list calls yield for the names from a cookie on. read reads all the names of the directory, without "." and "..", and look
// fills in what is known of one; names that have gone since are left out.
func (s *snapshot) each(cookie uint64, read func() ([]string, error), look func(e *Entry) error, yield func(Entry) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cookie == 0 || s.names == nil {
		names, err := read()
		if err != nil {
			return err
		}
		s.names = append([]string{".", ".."}, names...)
	}
	for i := cookie; i < uint64(len(s.names)); i++ {
		e := Entry{Next: i + 1, Name: []byte(s.names[i])}
		if look(&e) == nil && !yield(e) {
			break
		}
	}
	return nil
}

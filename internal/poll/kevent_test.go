package poll

import (
	"reflect"
	"testing"

	"github.com/wasport/wasport/network"
)

func TestChangesTo(t *testing.T) {
	const both = network.Readable | network.Writable
	for _, test := range []struct {
		want  network.Events
		flags int
		list  []kevent
	}{
		{0, keventAdd | keventClear, []kevent{{7, readFilter, keventAdd | keventClear}}},
		{network.Readable, keventAdd, []kevent{{7, readFilter, keventAdd}}},
		{network.Writable, keventAdd, []kevent{{7, readFilter, keventAdd},
			{7, writeFilter, keventAdd}}},
		{both, keventDelete, []kevent{{7, readFilter, keventDelete},
			{7, writeFilter, keventDelete}}},
	} {
		got := changesTo(7, filtersOf(test.want), test.flags)
		if !reflect.DeepEqual(got, test.list) {
			t.Errorf("events %b, flags %#x: got %v, want %v", test.want, test.flags, got, test.list)
		}
	}
}

func TestEdgeOf(t *testing.T) {
	const both = readFilter | writeFilter
	for _, test := range []struct {
		filter filters
		flags  int
		want   filters
	}{
		{readFilter, keventClear, readFilter},
		{writeFilter, keventClear, writeFilter},
		{readFilter, keventClear | keventEOF, both},
		{writeFilter, keventClear | keventEOF, both},
		{readFilter, keventError, both},
	} {
		got := edgeOf(kevent{7, test.filter, test.flags})
		if want := (edge{7, test.want}); got != want {
			t.Errorf("filter %b, flags %#x: got %v, want %v", test.filter, test.flags, got, want)
		}
	}
}

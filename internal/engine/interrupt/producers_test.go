package interrupt

import "testing"

func TestByGo(t *testing.T) {
	module := func(sections ...[]byte) []byte {
		return module(append([][]byte{section(secType)}, sections...)...)
	}
	producers := func(field, value string) []byte {
		content := append([]byte{1}, appendName(nil, field)...)
		content = append(content, 1)
		content = appendName(appendName(content, value), "1.0")
		return customSection("producers", content...)
	}
	for _, row := range []struct {
		name   string
		module []byte
		want   bool
	}{
		{"nothing", nil, false},
		{"header", header, false},
		{"build identity", module(customSection("go:buildid", 1)), true},
		{"compiler", module(producers("processed-by", "Go cmd/compile")), true},
		{"after another section", module(customSection("mine"),
			producers("processed-by", "Go cmd/compile")), true},
		{"TinyGo", module(producers("processed-by", "TinyGo")), false},
		{"language alone", module(producers("language", "Go")), false},
		{"compiler as a language", module(producers("language", "Go cmd/compile")), false},
		{"section of another kind", module(rawSection(secData, appendName(nil, "go:buildid"))),
			false},
		{"many fields promised", module(customSection("producers", 0xff, 0xff, 0xff, 0xff, 0x0f)),
			false},
		{"value cut off", module(customSection("producers",
			append(append([]byte{1}, appendName(nil, "processed-by")...), 1, 14, 'G')...)), false},
		{"section cut off", module(customSection("go:buildid", 1))[:12], false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := ByGo(row.module); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

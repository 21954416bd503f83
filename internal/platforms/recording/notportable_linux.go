//go:build !portable

package recording

const portable = false

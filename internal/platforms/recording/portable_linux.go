//go:build portable

package recording

const portable = true

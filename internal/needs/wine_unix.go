//go:build !windows

package needs

func onWine() bool { return false }

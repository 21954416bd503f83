//go:build dragonfly || netbsd

package wasi

import "syscall"

// someErrnos lacks ENOTRECOVERABLE and EOWNERDEAD, which package syscall does not have here.
var someErrnos = []hostErrno{{syscall.EMULTIHOP, EMULTIHOP}, {syscall.ENOLINK, ENOLINK}}

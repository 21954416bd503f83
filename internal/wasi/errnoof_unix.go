//go:build unix && !dragonfly && !netbsd && !openbsd

package wasi

import "syscall"

// someErrnos are the errnos that some of the BSDs lack.
var someErrnos = []hostErrno{
	{syscall.EMULTIHOP, EMULTIHOP}, {syscall.ENOLINK, ENOLINK},
	{syscall.ENOTRECOVERABLE, ENOTRECOVERABLE}, {syscall.EOWNERDEAD, EOWNERDEAD},
}

package wasi

import "syscall"

// someErrnos lacks EMULTIHOP and ENOLINK, which package syscall does not have here.
var someErrnos = []hostErrno{
	{syscall.ENOTRECOVERABLE, ENOTRECOVERABLE}, {syscall.EOWNERDEAD, EOWNERDEAD},
}

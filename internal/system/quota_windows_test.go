package system

import "syscall"

// betweenRoots is the error of a rename or link between directories that were opened apart.
var betweenRoots error = syscall.EXDEV

/*
 * <sys/file.h>: wasi-libc's declares flock. WASI has no locks, so flock checks its arguments and
 * succeeds without locking. That is correct only for a file that one program uses.
 */
#include_next <sys/file.h>

/*
 * <sys/file.h>: wasi-libc's declares flock. WASI has no locks, so that nobody is kept out, not even
 * another module in the same directory: flock checks its arguments and succeeds, which is right for
 * a file that only one program uses.
 */
#include_next <sys/file.h>

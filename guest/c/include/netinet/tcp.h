/* <netinet/tcp.h>: wasi-libc's, and the level's other name, which it gives only to some feature
 * macros. */
#include_next <netinet/tcp.h>

#ifndef SOL_TCP
#define SOL_TCP 6
#endif

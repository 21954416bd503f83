/* <netinet/tcp.h>: wasi-libc's, and SOL_TCP, which wasi-libc defines only with some feature macros.
 */
#include_next <netinet/tcp.h>

#ifndef SOL_TCP
#define SOL_TCP 6
#endif

/* <unistd.h>: wasi-libc's, and what network programs want of a process. */
#include_next <unistd.h>

#ifndef WASPORT_UNISTD_H
#define WASPORT_UNISTD_H

#ifdef __cplusplus
extern "C" {
#endif

/* Never rings, for want of signals. A time-out of a socket, or of poll, does. */
unsigned alarm(unsigned);

#ifdef __cplusplus
}
#endif

#endif

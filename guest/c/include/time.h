/* <time.h>: wasi-libc's, and tzset. */
#include_next <time.h>

#ifndef WASPORT_TIME_H
#define WASPORT_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

/* Does nothing: all times are those of UTC. */
void tzset(void);

#ifdef __cplusplus
}
#endif

#endif

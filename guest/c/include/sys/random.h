/* <sys/random.h>: wasi-libc's, and getrandom. */
#include_next <sys/random.h>

#ifndef WASPORT_SYS_RANDOM_H
#define WASPORT_SYS_RANDOM_H

#include <sys/types.h>

#ifndef GRND_NONBLOCK
#define GRND_NONBLOCK 1
#define GRND_RANDOM 2
#define GRND_INSECURE 4
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Never blocks, and fills the whole buffer with any flags. */
ssize_t getrandom(void *, size_t, unsigned);

#ifdef __cplusplus
}
#endif

#endif

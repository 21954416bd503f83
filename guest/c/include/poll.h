/* <poll.h>: wasi-libc's, and the events that it lacks. A program may ask for them; they never
 * occur. */
#include_next <poll.h>

#ifndef POLLPRI
#define POLLPRI 0x4
#endif
#ifndef POLLRDBAND
#define POLLRDBAND 0x8
#endif
#ifndef POLLWRBAND
#define POLLWRBAND 0x10
#endif
#ifndef POLLMSG
#define POLLMSG 0x20
#endif
#ifndef POLLRDHUP
#define POLLRDHUP 0x800
#endif

/* <unistd.h>: wasi-libc's, and what network programs want of a process. */
#include_next <unistd.h>

#ifndef WASPORT_UNISTD_H
#define WASPORT_UNISTD_H

#ifdef __cplusplus
extern "C" {
#endif

/* Never rings, for want of signals. A time-out of a socket, or of poll, does. */
unsigned alarm(unsigned);

/* There are no users. A module is always the same one without privileges, 1000, and can become no
 * other: EPERM. */
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int getgroups(int, gid_t[]);
int setuid(uid_t);
int seteuid(uid_t);
int setgid(gid_t);
int setegid(gid_t);

/* 1, as for a process whose parent has ended. */
pid_t getppid(void);

#ifdef __cplusplus
}
#endif

#endif

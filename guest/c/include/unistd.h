/* <unistd.h>: wasi-libc's, and functions about the process that network programs call. */
#include_next <unistd.h>

#ifndef WASPORT_UNISTD_H
#define WASPORT_UNISTD_H

#ifdef __cplusplus
extern "C" {
#endif

/* Never raises SIGALRM. Use SO_RCVTIMEO or the time-out of poll() instead. */
unsigned alarm(unsigned);

/* There are no users. Every id is 1000, without privileges; changing it fails with EPERM. */
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int getgroups(int, gid_t[]);
int setuid(uid_t);
int seteuid(uid_t);
int setgid(gid_t);
int setegid(gid_t);

/* WASI's files have no owners: these fail with ENOTSUP. */
int chown(const char *, uid_t, gid_t);
int fchown(int, uid_t, gid_t);
int lchown(const char *, uid_t, gid_t);

/* Terminals have no names: it fails with ENODEV, or ENOTTY on what is no terminal. */
int ttyname_r(int, char *, size_t);

/* These fail with ENOSYS in a module with WAMR's imports only. O_CLOEXEC has no effect. */
int pipe(int[2]);
int dup(int);
int dup2(int, int);
#ifdef _GNU_SOURCE
int pipe2(int[2], int);
int dup3(int, int, int);
#endif

/* There are no processes, and so no sessions and groups of them: these fail with ENOSYS. */
pid_t fork(void);
pid_t vfork(void);
int execve(const char *, char *const[], char *const[]);
int execv(const char *, char *const[]);
int execvp(const char *, char *const[]);
int execl(const char *, const char *, ...);
int execle(const char *, const char *, ...);
int execlp(const char *, const char *, ...);
pid_t setsid(void);
int setpgid(pid_t, pid_t);
pid_t tcgetpgrp(int);
int tcsetpgrp(int, pid_t);

/* Returns 1, as for a process whose parent has ended (getppid(2)). */
pid_t getppid(void);

/* Returns the program's own id. */
pid_t getpgrp(void);

/* Fails with EPERM, as without privileges. */
int chroot(const char *);

/* Returns the size of a page of WebAssembly's memory: 65536. */
int getpagesize(void);

#ifdef __cplusplus
}
#endif

#endif

/*
 * <sys/socket.h>, complete. It replaces wasi-libc's, which declares only a few of these. Its
 * numbers are wasi-libc's where that has one; those of options are Linux's, as in WAMR's
 * wasi_socket_ext.h.
 */
#ifndef _SYS_SOCKET_H
#define _SYS_SOCKET_H
/* Keeps out wasi-libc's own part of this header. */
#define __wasilibc___header_sys_socket_h
#define __wasilibc___struct_msghdr_h

#include <features.h>

#define __NEED_size_t
#define __NEED_ssize_t
#define __NEED_socklen_t
#define __NEED_sa_family_t
#define __NEED_pid_t
#define __NEED_uid_t
#define __NEED_gid_t
#define __NEED_struct_iovec
#include <bits/alltypes.h>

#include <__struct_sockaddr.h>
#include <__struct_sockaddr_storage.h>

#ifdef __cplusplus
extern "C" {
#endif

struct msghdr {
	void *msg_name;
	socklen_t msg_namelen;
	struct iovec *msg_iov;
	int msg_iovlen;
	void *msg_control;
	socklen_t msg_controllen;
	int msg_flags;
};

struct cmsghdr {
	socklen_t cmsg_len;
	int cmsg_level;
	int cmsg_type;
};

struct linger {
	int l_onoff;
	int l_linger;
};

#ifdef _GNU_SOURCE
struct ucred {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

struct mmsghdr {
	struct msghdr msg_hdr;
	unsigned int msg_len;
};
#endif

/* Families. */
#define PF_UNSPEC 0
#define PF_INET 1
#define PF_INET6 2
#define PF_UNIX 3
#define PF_LOCAL PF_UNIX
#define AF_UNSPEC PF_UNSPEC
#define AF_INET PF_INET
#define AF_INET6 PF_INET6
#define AF_UNIX PF_UNIX
#define AF_LOCAL PF_LOCAL

/* Types. The host has the first two. */
#define SOCK_DGRAM 5
#define SOCK_STREAM 6
#define SOCK_RAW 7
#define SOCK_RDM 8
#define SOCK_SEQPACKET 9
#define SOCK_CLOEXEC 0x2000
#define SOCK_NONBLOCK 0x4000

#define SHUT_RD 1
#define SHUT_WR 2
#define SHUT_RDWR 3

#define SOMAXCONN 4096

/* Flags of sending and receiving. The first two are wasi-libc's. */
#define MSG_PEEK 0x0001
#define MSG_WAITALL 0x0002
#define MSG_OOB 0x0004
#define MSG_CTRUNC 0x0008
#define MSG_DONTROUTE 0x0010
#define MSG_TRUNC 0x0020
#define MSG_DONTWAIT 0x0040
#define MSG_EOR 0x0080
#define MSG_CONFIRM 0x0800
#define MSG_ERRQUEUE 0x2000
#define MSG_NOSIGNAL 0x4000
#define MSG_MORE 0x8000
#define MSG_WAITFORONE 0x10000
#define MSG_FASTOPEN 0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000

/* Levels of options. */
#define SOL_SOCKET 0x7fffffff
#define SOL_IP 0
#define SOL_IPV6 41

#define SO_DEBUG 1
#define SO_REUSEADDR 2
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_DONTROUTE 5
#define SO_BROADCAST 6
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_KEEPALIVE 9
#define SO_OOBINLINE 10
#define SO_PRIORITY 12
#define SO_LINGER 13
#define SO_REUSEPORT 15
#define SO_PASSCRED 16
#define SO_PEERCRED 17
#define SO_RCVLOWAT 18
#define SO_SNDLOWAT 19
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_BINDTODEVICE 25
#define SO_TIMESTAMP 29
#define SO_ACCEPTCONN 30
#define SO_TIMESTAMPNS 35
#define SO_MARK 36
#define SO_PROTOCOL 38
#define SO_DOMAIN 39
#define SO_BUSY_POLL 46

/* Control messages (cmsg(3)). Descriptors and credentials are not passed. */
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define SCM_TIMESTAMP SO_TIMESTAMP
#define CMSG_ALIGN(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_LEN(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + (n))
#define CMSG_SPACE(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + CMSG_ALIGN(n))
#define CMSG_DATA(c) ((unsigned char *)(c) + CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_FIRSTHDR(m)                                                                           \
	((m)->msg_controllen < sizeof(struct cmsghdr) ? (struct cmsghdr *)0                            \
	                                              : (struct cmsghdr *)(m)->msg_control)
#define CMSG_NXTHDR(m, c) __wasport_cmsg_next(m, c)

static __inline struct cmsghdr *__wasport_cmsg_next(const struct msghdr *m, const struct cmsghdr *c)
{
	size_t at = (size_t)((const char *)c - (const char *)m->msg_control);
	size_t room = m->msg_controllen - at;
	if (c->cmsg_len < sizeof(struct cmsghdr) || CMSG_ALIGN(c->cmsg_len) > room ||
		room - CMSG_ALIGN(c->cmsg_len) < sizeof(struct cmsghdr))
		return 0;
	return (struct cmsghdr *)(void *)((char *)m->msg_control + at + CMSG_ALIGN(c->cmsg_len));
}

int socket(int, int, int);
int socketpair(int, int, int, int[2]);
int bind(int, const struct sockaddr *, socklen_t);
int connect(int, const struct sockaddr *, socklen_t);
int listen(int, int);
int accept(int, struct sockaddr *__restrict, socklen_t *__restrict);
int accept4(int, struct sockaddr *__restrict, socklen_t *__restrict, int);
int shutdown(int, int);
int getsockname(int, struct sockaddr *__restrict, socklen_t *__restrict);
int getpeername(int, struct sockaddr *__restrict, socklen_t *__restrict);
int getsockopt(int, int, int, void *__restrict, socklen_t *__restrict);
int setsockopt(int, int, int, const void *, socklen_t);
int sockatmark(int);

ssize_t send(int, const void *, size_t, int);
ssize_t sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
ssize_t sendmsg(int, const struct msghdr *, int);
ssize_t recv(int, void *, size_t, int);
ssize_t recvfrom(
    int, void *__restrict, size_t, int, struct sockaddr *__restrict, socklen_t *__restrict);
ssize_t recvmsg(int, struct msghdr *, int);

#ifdef _GNU_SOURCE
struct timespec;
int sendmmsg(int, struct mmsghdr *, unsigned int, unsigned int);
int recvmmsg(int, struct mmsghdr *, unsigned int, unsigned int, struct timespec *);
#endif

#ifdef __cplusplus
}
#endif

#endif

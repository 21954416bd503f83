/* Declarations that the files of the library share. Programs do not see them. */
#ifndef SOCK_H
#define SOCK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <wasport.h>

/* With 1, the library uses wasport's own imports where WAMR's ABI has gaps; with 0, WAMR's imports
 * only. */
#ifndef WASPORT_EXT
#define WASPORT_EXT 1
#endif

#define HIDDEN __attribute__((__visibility__("hidden")))

/* Returns 0, or -1 with errno set. wasi-libc's errno has the numbers of WASI. */
static inline int result(int32_t err)
{
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

/* address.c: conversions between struct sockaddr and the ABI's address. */
HIDDEN int32_t __wasport_encode(const struct sockaddr *sa, socklen_t len, wasport_addr *addr);
HIDDEN void __wasport_decode(const wasport_addr *addr, struct sockaddr *sa, socklen_t *len);
HIDDEN void __wasport_encode_ip6(const struct in6_addr *in, uint16_t groups[8]);

#if WASPORT_EXT
/* unix.c: addresses of Unix-domain sockets. The last one returns false for any other socket. */
HIDDEN int32_t __wasport_unix_bind(int fd, const struct sockaddr *sa, socklen_t len);
HIDDEN int32_t __wasport_unix_connect(int fd, const struct sockaddr *sa, socklen_t len);
HIDDEN bool __wasport_unix_address(int fd, bool peer, struct sockaddr *sa, socklen_t *len);
#endif

/* Reports whether sa is the address of a Unix-domain socket, and the library has those. */
static inline bool is_unix(const struct sockaddr *sa, socklen_t len)
{
	return WASPORT_EXT && sa != NULL && len >= sizeof sa->sa_family && sa->sa_family == AF_UNIX;
}

/* descriptor.c: the type and the flags of a descriptor, from preview 1. */
HIDDEN int32_t __wasport_socktype(int fd, int *type);
HIDDEN int32_t __wasport_set_nonblock(int fd, bool on, bool *was);

/* getservbyname.c: the services in the library's own table. */
struct service {
	const char *name;
	uint16_t port;
	uint8_t protocols;
};
enum { SERVICE_TCP = 1, SERVICE_UDP = 2 };
HIDDEN const struct service *__wasport_service_by_name(const char *name, int protocols);
HIDDEN const struct service *__wasport_service_by_port(uint16_t port, int protocols);

/* lookup.c: reports whether a name is valid. */
HIDDEN bool __wasport_is_name(const char *name);

/* lookup.c: looks up a name's addresses, as a malloc'd list that the caller frees. Returns an EAI_
 * code. */
HIDDEN int __wasport_lookup(
    const char *name, int family, wasport_addr_info **list, uint32_t *count);

/* if.c: lists the interfaces, as a malloc'd list that the caller frees. */
HIDDEN int32_t __wasport_interfaces(wasport_interface **list, uint32_t *count);

#if !WASPORT_EXT
/* pending.c: remembers the address to which a socket is connecting, since WAMR's ABI reports the
 * outcome only to a second connect. */
HIDDEN void __wasport_pending_start(int fd, const wasport_addr *addr);
HIDDEN int32_t __wasport_pending_error(int fd, int *error);
HIDDEN void __wasport_pending_forget(int fd);
#else
static inline void __wasport_pending_start(int fd, const wasport_addr *addr)
{
	(void)fd, (void)addr;
}
static inline void __wasport_pending_forget(int fd)
{
	(void)fd;
}
#endif

#endif

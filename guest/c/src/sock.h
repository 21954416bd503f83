/* What the files of the library share. Nothing here is seen by programs. */
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

/* With 1, imports of wasport's own fill the gaps of WAMR's ABI; with 0 none of them is used. */
#ifndef WASPORT_EXT
#define WASPORT_EXT 1
#endif

#define HIDDEN __attribute__((__visibility__("hidden")))

/* Turns a WASI errno into C's way of failing; wasi-libc's errno has the same numbers. */
static inline int result(int32_t err)
{
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

/* address.c: between sockaddr and the ABI's address. */
HIDDEN int32_t __wasport_encode(const struct sockaddr *sa, socklen_t len, wasport_addr *addr);
HIDDEN void __wasport_decode(const wasport_addr *addr, struct sockaddr *sa, socklen_t *len);
HIDDEN void __wasport_encode_ip6(const struct in6_addr *in, uint16_t groups[8]);

/* descriptor.c: what preview 1 knows about a descriptor. */
HIDDEN int32_t __wasport_socktype(int fd, int *type);
HIDDEN int32_t __wasport_set_nonblock(int fd, bool on, bool *was);

/* getservbyname.c: the services that are known without asking anyone. */
struct service {
	const char *name;
	uint16_t port;
	uint8_t protocols;
};
enum { SERVICE_TCP = 1, SERVICE_UDP = 2 };
HIDDEN const struct service *__wasport_service_named(const char *name, int protocols);
HIDDEN const struct service *__wasport_service_at(uint16_t port, int protocols);

/* lookup.c: a name's addresses, as a malloc'd list that the caller frees. Returns an EAI_ code. */
HIDDEN int __wasport_lookup(
    const char *name, int family, wasport_addr_info **list, uint32_t *count);

/* if.c: the interfaces, as a malloc'd list that the caller frees. */
HIDDEN int32_t __wasport_interfaces(wasport_interface **list, uint32_t *count);

#if !WASPORT_EXT
/* pending.c: remembers whereto a socket is connecting, since the ABI tells the outcome only to a
 * second connect. */
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

/*
 * Every import of the WAMR socket ABI, and of wasport's own extension of it, for guests that use no
 * C library.
 *
 * The header needs nothing but a compiler (freestanding <stdint.h> and <stddef.h>) and defines no
 * code. Programs with wasi-libc include <sys/socket.h> and its kin from this directory instead, and
 * never see this file.
 *
 * Each function returns a WASI errno, 0 for success, and writes its results through pointers. A
 * pointer that does not lie in memory gives 21 (EFAULT) and nothing happens. Nothing needs to be
 * aligned.
 */
#ifndef WASPORT_H
#define WASPORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define WASPORT_ASSERT(what, why) static_assert(what, why)
extern "C" {
#else
#define WASPORT_ASSERT(what, why) _Static_assert(what, why)
#endif

#define WASPORT_IMPORT(module, name)                                                               \
	__attribute__((__import_module__(module), __import_name__(#name), __warn_unused_result__))     \
	int32_t wasport_##name
#define WASPORT_SOCK(name) WASPORT_IMPORT("wasi_snapshot_preview1", name)
#define WASPORT_OWN(name) WASPORT_IMPORT("wasport_sockets", name)

/* A piece of memory to send from or receive into; lists of them are packed. */
typedef struct wasport_iovec {
	const void *buf;
	uint32_t len;
} wasport_iovec;
WASPORT_ASSERT(sizeof(void *) == 4, "the ABI is for wasm32");
WASPORT_ASSERT(sizeof(wasport_iovec) == 8, "iovec");

enum {
	WASPORT_INET4 = 0,
	WASPORT_INET6 = 1,
	WASPORT_INET_UNSPEC = 2, /* only in hints */
};

enum {
	WASPORT_ANY = -1, /* only in hints */
	WASPORT_DGRAM = 0,
	WASPORT_STREAM = 1,
};

/* An address without a port: four octets in dotted order, or eight 16-bit groups, each a plain
 * number. */
typedef struct wasport_ip {
	uint32_t kind; /* WASPORT_INET4 or WASPORT_INET6 */
	union {
		uint8_t v4[4];
		uint16_t v6[8];
	} u;
} wasport_ip;
WASPORT_ASSERT(sizeof(wasport_ip) == 20, "ip");
WASPORT_ASSERT(offsetof(wasport_ip, u) == 4, "ip.u");

/* An address with a port. Ports are plain numbers, not in network byte order. */
typedef struct wasport_addr {
	uint32_t kind; /* WASPORT_INET4 or WASPORT_INET6 */
	union {
		struct {
			uint8_t ip[4];
			uint16_t port;
		} v4;
		struct {
			uint16_t ip[8];
			uint16_t port;
		} v6;
	} u;
} wasport_addr;
WASPORT_ASSERT(sizeof(wasport_addr) == 24, "addr");
WASPORT_ASSERT(offsetof(wasport_addr, u.v4.ip) == 4, "addr.v4.ip");
WASPORT_ASSERT(offsetof(wasport_addr, u.v4.port) == 8, "addr.v4.port");
WASPORT_ASSERT(offsetof(wasport_addr, u.v6.ip) == 4, "addr.v6.ip");
WASPORT_ASSERT(offsetof(wasport_addr, u.v6.port) == 20, "addr.v6.port");

/* One answer of a lookup. */
typedef struct wasport_addr_info {
	wasport_addr addr;
	int32_t type; /* WASPORT_DGRAM or WASPORT_STREAM */
} wasport_addr_info;
WASPORT_ASSERT(sizeof(wasport_addr_info) == 28, "addr_info");
WASPORT_ASSERT(offsetof(wasport_addr_info, type) == 24, "addr_info.type");

/* The restrictions of a lookup. The padding may hold anything. */
typedef struct wasport_hints {
	int32_t type;
	int32_t family;
	uint8_t enabled; /* 0: type and family are ignored */
} wasport_hints;
WASPORT_ASSERT(sizeof(wasport_hints) == 12, "hints");
WASPORT_ASSERT(offsetof(wasport_hints, family) == 4, "hints.family");
WASPORT_ASSERT(offsetof(wasport_hints, enabled) == 8, "hints.enabled");

/* Flags of receiving (ri_flags), flags of what was received (ro_flags), directions of shutdown,
 * flags of accept. */
enum { WASPORT_PEEK = 1, WASPORT_WAITALL = 2 };
enum { WASPORT_TRUNCATED = 1 };
enum { WASPORT_SHUT_RD = 1, WASPORT_SHUT_WR = 2 };
enum { WASPORT_NONBLOCK = 4 };

/*
 * Sockets
 */

/* pool is ignored; pass -1. */
WASPORT_SOCK(sock_open)(int32_t pool, int32_t family, int32_t type, int32_t *fd);
WASPORT_SOCK(sock_bind)(int32_t fd, const wasport_addr *addr);
WASPORT_SOCK(sock_listen)(int32_t fd, int32_t backlog);
WASPORT_SOCK(sock_accept)(int32_t fd, uint32_t fdflags, int32_t *accepted);
WASPORT_SOCK(sock_connect)(int32_t fd, const wasport_addr *addr);
WASPORT_SOCK(sock_send)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, uint32_t *sent);
WASPORT_SOCK(sock_send_to)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, const wasport_addr *to,
    uint32_t *sent);
WASPORT_SOCK(sock_recv)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, uint32_t *received,
    uint16_t *ro_flags);
/* from may be NULL under wasport; WAMR would write to address 0. */
WASPORT_SOCK(sock_recv_from)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, wasport_addr *from,
    uint32_t *received);
WASPORT_SOCK(sock_shutdown)(int32_t fd, uint32_t how);
/* WAMR returns 52 (ENOSYS) from this one; fd_close works everywhere. */
WASPORT_SOCK(sock_close)(int32_t fd);
WASPORT_SOCK(sock_addr_local)(int32_t fd, wasport_addr *addr);
WASPORT_SOCK(sock_addr_remote)(int32_t fd, wasport_addr *addr);

/*
 * host and service end with a NUL; service may be "". capacity counts entries, and *count becomes
 * the number of answers there are, which may be more.
 */
WASPORT_SOCK(sock_addr_resolve)
(const char *host, const char *service, const wasport_hints *hints, wasport_addr_info *answers,
    uint32_t capacity, uint32_t *count);

/*
 * Options. A get of a bool or of a hop count writes one byte. A set takes its value as an argument;
 * of a bool only the low eight bits count.
 */

WASPORT_SOCK(sock_get_reuse_addr)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_reuse_addr)(int32_t fd, uint32_t on);
WASPORT_SOCK(sock_get_reuse_port)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_reuse_port)(int32_t fd, uint32_t on);
WASPORT_SOCK(sock_get_keep_alive)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_keep_alive)(int32_t fd, uint32_t on);
WASPORT_SOCK(sock_get_broadcast)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_broadcast)(int32_t fd, uint32_t on);
WASPORT_SOCK(sock_get_linger)(int32_t fd, uint8_t *on, int32_t *seconds);
WASPORT_SOCK(sock_set_linger)(int32_t fd, uint32_t on, int32_t seconds);
WASPORT_SOCK(sock_get_recv_buf_size)(int32_t fd, uint32_t *bytes);
WASPORT_SOCK(sock_set_recv_buf_size)(int32_t fd, uint32_t bytes);
WASPORT_SOCK(sock_get_send_buf_size)(int32_t fd, uint32_t *bytes);
WASPORT_SOCK(sock_set_send_buf_size)(int32_t fd, uint32_t bytes);
WASPORT_SOCK(sock_get_recv_timeout)(int32_t fd, uint64_t *microseconds);
WASPORT_SOCK(sock_set_recv_timeout)(int32_t fd, uint64_t microseconds);
WASPORT_SOCK(sock_get_send_timeout)(int32_t fd, uint64_t *microseconds);
WASPORT_SOCK(sock_set_send_timeout)(int32_t fd, uint64_t microseconds);
WASPORT_SOCK(sock_get_tcp_no_delay)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_tcp_no_delay)(int32_t fd, uint32_t on);
WASPORT_SOCK(sock_get_tcp_quick_ack)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_tcp_quick_ack)(int32_t fd, uint32_t on);
WASPORT_SOCK(sock_get_tcp_fastopen_connect)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_tcp_fastopen_connect)(int32_t fd, uint32_t on);
WASPORT_SOCK(sock_get_tcp_keep_idle)(int32_t fd, uint32_t *seconds);
WASPORT_SOCK(sock_set_tcp_keep_idle)(int32_t fd, uint32_t seconds);
WASPORT_SOCK(sock_get_tcp_keep_intvl)(int32_t fd, uint32_t *seconds);
WASPORT_SOCK(sock_set_tcp_keep_intvl)(int32_t fd, uint32_t seconds);
WASPORT_SOCK(sock_get_ip_ttl)(int32_t fd, uint8_t *hops);
WASPORT_SOCK(sock_set_ip_ttl)(int32_t fd, uint32_t hops);
WASPORT_SOCK(sock_get_ip_multicast_ttl)(int32_t fd, uint8_t *hops);
WASPORT_SOCK(sock_set_ip_multicast_ttl)(int32_t fd, uint32_t hops);
WASPORT_SOCK(sock_get_ip_multicast_loop)(int32_t fd, uint32_t ipv6, uint8_t *on);
WASPORT_SOCK(sock_set_ip_multicast_loop)(int32_t fd, uint32_t ipv6, uint32_t on);
WASPORT_SOCK(sock_get_ipv6_only)(int32_t fd, uint8_t *on);
WASPORT_SOCK(sock_set_ipv6_only)(int32_t fd, uint32_t on);

/*
 * interface is, for an IPv4 group, the four octets of the interface's address as they lie in memory
 * (127.0.0.1 is 0x0100007f), and for an IPv6 group the interface's index. 0 leaves the choice to
 * the host.
 */
WASPORT_SOCK(sock_set_ip_add_membership)(int32_t fd, const wasport_ip *group, uint32_t interface);
WASPORT_SOCK(sock_set_ip_drop_membership)(int32_t fd, const wasport_ip *group, uint32_t interface);

/*
 * wasport's own imports, which docs/abi.md specifies.
 */

enum {
	WASPORT_OPT_ERROR =
	    1, /* get only: the pending error as a WASI errno, 0 for none; reading clears it */
	WASPORT_OPT_ACCEPTCONN = 2, /* get only: 1 when the socket listens */
	WASPORT_OPT_TCP_KEEPCNT = 3,
	WASPORT_OPT_TCP_MAXSEG = 4,
	WASPORT_OPT_IP_TOS = 5,
	WASPORT_OPT_IP_MULTICAST_IF =
	    6, /* the interface's address as a number, 127.0.0.1 is 0x7f000001; 0 = any */
	WASPORT_OPT_IPV6_UNICAST_HOPS = 7, /* -1 = the host's default */
	WASPORT_OPT_IPV6_MULTICAST_HOPS = 8, /* -1 = the host's default */
	WASPORT_OPT_IPV6_MULTICAST_IF = 9, /* the interface's index; 0 = any */
	WASPORT_OPT_IPV6_TCLASS = 10, /* -1 = the host's default */
	WASPORT_OPT_TCP_USER_TIMEOUT = 11, /* milliseconds; 0 = the host's default */
	/* Flags of datagram sockets: sock_recv_control is to give this field. */
	WASPORT_OPT_IP_PKTINFO = 12,
	WASPORT_OPT_IP_RECVTTL = 13,
	WASPORT_OPT_IP_RECVTOS = 14,
	WASPORT_OPT_IPV6_RECVPKTINFO = 15,
	WASPORT_OPT_IPV6_RECVHOPLIMIT = 16,
	WASPORT_OPT_IPV6_RECVTCLASS = 17,
	WASPORT_OPT_TIMESTAMP = 18,
};

WASPORT_OWN(sock_get_option)(int32_t fd, uint32_t option, int64_t *value);
WASPORT_OWN(sock_set_option)(int32_t fd, uint32_t option, int64_t value);

/* Flags of sock_recv_msg and sock_send_msg; PEEK, WAITALL and TRUNCATED have the values above. */
enum { WASPORT_DONTWAIT = 4 };
/* In ro_flags of sock_recv_msg: the socket is a stream, so from is its peer. */
enum { WASPORT_STREAMED = 2 };

/* from and ro_flags may be NULL. */
WASPORT_OWN(sock_recv_msg)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, wasport_addr *from,
    uint32_t *received, uint32_t *ro_flags);
/* to may be NULL. */
WASPORT_OWN(sock_send_msg)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, const wasport_addr *to,
    uint32_t *sent);

/* The fields of control data that are there. */
enum {
	WASPORT_PKTINFO = 1, /* interface, destination and source, of IPv4 */
	WASPORT_TTL = 2, /* hops, of IPv4 */
	WASPORT_TOS = 4, /* traffic_class, of IPv4 */
	WASPORT_PKTINFO6 = 8, /* interface, destination and source, of an IPv6 socket */
	WASPORT_HOPLIMIT = 16, /* hops, of IPv6 */
	WASPORT_TCLASS = 32, /* traffic_class, of IPv6 */
	WASPORT_TIMESTAMP = 64, /* time, which cannot be sent */
};

/* Facts about a datagram besides its sender. The ports of addresses are 0; an unspecified
 * address is unknown, or the host's choice. */
typedef struct wasport_control {
	uint32_t fields;
	uint32_t interface; /* an index; 0 = unknown, or the host's choice */
	wasport_addr destination; /* received only */
	wasport_addr source; /* where to answer from; of a datagram to be sent, its sender */
	int32_t hops;
	int32_t traffic_class;
	int64_t time; /* nanoseconds since 1970 */
} wasport_control;
WASPORT_ASSERT(sizeof(wasport_control) == 72, "control");
WASPORT_ASSERT(offsetof(wasport_control, destination) == 8, "control.destination");
WASPORT_ASSERT(offsetof(wasport_control, source) == 32, "control.source");
WASPORT_ASSERT(offsetof(wasport_control, hops) == 56, "control.hops");
WASPORT_ASSERT(offsetof(wasport_control, time) == 64, "control.time");

/* sock_recv_msg and sock_send_msg with control data. */
WASPORT_OWN(sock_recv_control)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, wasport_addr *from,
    uint32_t *received, uint32_t *ro_flags, wasport_control *control);
WASPORT_OWN(sock_send_control)
(int32_t fd, const wasport_iovec *list, uint32_t count, uint32_t flags, const wasport_addr *to,
    uint32_t *sent, const wasport_control *control);

/* A type of subscriptions for poll_oneoff, with the descriptor where those for reading and writing
 * have it: it failed or hung up. */
enum { WASPORT_EVENT_FAILURE = 3 };

/* Removes the peer of a datagram socket. On a stream it fails with 5 (EAFNOSUPPORT). */
WASPORT_OWN(sock_disconnect)(int32_t fd);

/* Stores a reply of the DNS for records of class IN at a name, which ends with a NUL, and its
 * length, which may be more than size. */
WASPORT_OWN(sock_resolve_records)
(const char *name, uint32_t type, uint8_t *reply, uint32_t size, uint32_t *length);

enum {
	WASPORT_IF_UP = 1,
	WASPORT_IF_LOOPBACK = 2,
	WASPORT_IF_MULTICAST = 4,
	WASPORT_IF_BROADCAST = 8,
	WASPORT_IF_POINTTOPOINT = 16,
};

/* One address of one network interface. The port of addr is 0. */
typedef struct wasport_interface {
	wasport_addr addr;
	uint32_t prefix; /* bits of the network part */
	uint32_t index; /* 1 and up */
	uint32_t flags;
	char name[20]; /* ends with a NUL */
} wasport_interface;
WASPORT_ASSERT(sizeof(wasport_interface) == 56, "interface");
WASPORT_ASSERT(offsetof(wasport_interface, prefix) == 24, "interface.prefix");
WASPORT_ASSERT(offsetof(wasport_interface, index) == 28, "interface.index");
WASPORT_ASSERT(offsetof(wasport_interface, flags) == 32, "interface.flags");
WASPORT_ASSERT(offsetof(wasport_interface, name) == 36, "interface.name");

/* capacity counts entries, and *count becomes the number of entries there are, which may be more.
 */
WASPORT_OWN(sock_interfaces)(wasport_interface *list, uint32_t capacity, uint32_t *count);

/*
 * Unix-domain sockets: type is WASPORT_STREAM. A path is absolute, or starts from "/", and leads
 * beneath a directory of the guest. The other functions for sockets work on them too; an address of
 * theirs is 0.0.0.0 with port 0.
 */
WASPORT_OWN(sock_unix_open)(int32_t type, int32_t *fd);
WASPORT_OWN(sock_unix_bind)(int32_t fd, const char *path, uint32_t len);
WASPORT_OWN(sock_unix_connect)(int32_t fd, const char *path, uint32_t len);
/* The path that the socket is bound to, or with peer = 1 the one that it has connected to; it does
 * not end with a NUL. *len becomes its length, which may be more than capacity, and is 0 if there
 * is no path. */
WASPORT_OWN(sock_unix_path)
(int32_t fd, uint32_t peer, char *path, uint32_t capacity, uint32_t *len);

/*
 * Descriptors that talk to each other within the guest. flags may have WASPORT_NONBLOCK.
 */
WASPORT_OWN(fd_pipe)(uint32_t flags, int32_t *reader, int32_t *writer);
WASPORT_OWN(sock_pair)(int32_t type, uint32_t flags, int32_t *first, int32_t *second);
/* A read of a semaphore takes 1 in place of the whole number. */
enum { WASPORT_SEMAPHORE = 1 };
WASPORT_OWN(fd_event)(uint32_t initial, uint32_t flags, int32_t *fd);

/* The new descriptor has the lowest free number from least on, or the number to. */
WASPORT_OWN(fd_dup)(int32_t fd, int32_t least, int32_t *copy);
WASPORT_OWN(fd_dup_to)(int32_t fd, int32_t to);

/* events and operations have the numbers of <sys/epoll.h>. */
typedef struct wasport_epoll_event {
	uint32_t events;
	uint64_t data;
} wasport_epoll_event;
WASPORT_ASSERT(sizeof(wasport_epoll_event) == 16, "epoll_event");
WASPORT_ASSERT(offsetof(wasport_epoll_event, data) == 8, "epoll_event.data");

WASPORT_OWN(epoll_create)(int32_t *fd);
WASPORT_OWN(epoll_control)
(int32_t epoll, int32_t operation, int32_t fd, uint32_t events, uint64_t data);
/* As poll(2), with the events of <poll.h>: fills in revents, and stores how many are not 0. timeout
 * is in nanoseconds; a negative one never ends. */
typedef struct wasport_pollfd {
	int32_t fd;
	uint16_t events, revents;
} wasport_pollfd;
WASPORT_OWN(fd_poll)(wasport_pollfd *fds, uint32_t count, int64_t timeout, uint32_t *ready);

/* timeout is in nanoseconds; a negative one never ends. */
WASPORT_OWN(epoll_wait)
(int32_t epoll, wasport_epoll_event *list, int32_t capacity, int64_t timeout, uint32_t *count);

#undef WASPORT_OWN
#undef WASPORT_SOCK
#undef WASPORT_IMPORT
#undef WASPORT_ASSERT

#ifdef __cplusplus
}
#endif

#endif

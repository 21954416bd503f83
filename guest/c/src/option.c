#include "option.h"

#include <netinet/tcp.h>

#define FLAG(level, name, import)                                                                  \
	{                                                                                              \
		level, name, wasport_sock_get_##import, NULL, wasport_sock_set_##import, 0, 0              \
	}
#define HOPS(level, name, import, preset) \
	{level, name, wasport_sock_get_##import, NULL, wasport_sock_set_##import, 0, preset}
#define NUMBER(level, name, import)                                                                \
	{                                                                                              \
		level, name, NULL, wasport_sock_get_##import, wasport_sock_set_##import, 0, 0              \
	}
#define OWN(level, name, number) {level, name, NULL, NULL, NULL, number, 0}
#define SWITCH(level, name, number) {level, name, NULL, NULL, NULL, number, 1}

#define LOOP(level, name, n) {level, name, get_loop##n, NULL, set_loop##n, 0, 0}

static int32_t get_loop4(int32_t fd, uint8_t *on)
{
	return wasport_sock_get_ip_multicast_loop(fd, 0, on);
}

static int32_t set_loop4(int32_t fd, uint32_t on)
{
	return wasport_sock_set_ip_multicast_loop(fd, 0, on);
}

static int32_t get_loop6(int32_t fd, uint8_t *on)
{
	return wasport_sock_get_ip_multicast_loop(fd, 1, on);
}

static int32_t set_loop6(int32_t fd, uint32_t on)
{
	return wasport_sock_set_ip_multicast_loop(fd, 1, on);
}

static const struct option options[] = {
	FLAG(SOL_SOCKET, SO_REUSEADDR, reuse_addr),
	FLAG(SOL_SOCKET, SO_REUSEPORT, reuse_port),
	FLAG(SOL_SOCKET, SO_KEEPALIVE, keep_alive),
	FLAG(SOL_SOCKET, SO_BROADCAST, broadcast),
	NUMBER(SOL_SOCKET, SO_RCVBUF, recv_buf_size),
	NUMBER(SOL_SOCKET, SO_SNDBUF, send_buf_size),
	FLAG(IPPROTO_TCP, TCP_NODELAY, tcp_no_delay),
	FLAG(IPPROTO_TCP, TCP_QUICKACK, tcp_quick_ack),
	FLAG(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, tcp_fastopen_connect),
	NUMBER(IPPROTO_TCP, TCP_KEEPIDLE, tcp_keep_idle),
	NUMBER(IPPROTO_TCP, TCP_KEEPINTVL, tcp_keep_intvl),
	HOPS(IPPROTO_IP, IP_TTL, ip_ttl, 64),
	HOPS(IPPROTO_IP, IP_MULTICAST_TTL, ip_multicast_ttl, 1),
	LOOP(IPPROTO_IP, IP_MULTICAST_LOOP, 4),
	FLAG(IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only),
	LOOP(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 6),
#if WASPORT_EXT
	OWN(SOL_SOCKET, SO_ERROR, WASPORT_OPT_ERROR),
	OWN(SOL_SOCKET, SO_ACCEPTCONN, WASPORT_OPT_ACCEPTCONN),
	OWN(IPPROTO_TCP, TCP_KEEPCNT, WASPORT_OPT_TCP_KEEPCNT),
	OWN(IPPROTO_TCP, TCP_MAXSEG, WASPORT_OPT_TCP_MAXSEG),
	OWN(IPPROTO_TCP, TCP_USER_TIMEOUT, WASPORT_OPT_TCP_USER_TIMEOUT),
	OWN(IPPROTO_IP, IP_TOS, WASPORT_OPT_IP_TOS),
	OWN(IPPROTO_IPV6, IPV6_UNICAST_HOPS, WASPORT_OPT_IPV6_UNICAST_HOPS),
	OWN(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, WASPORT_OPT_IPV6_MULTICAST_HOPS),
	OWN(IPPROTO_IPV6, IPV6_MULTICAST_IF, WASPORT_OPT_IPV6_MULTICAST_IF),
	OWN(IPPROTO_IPV6, IPV6_TCLASS, WASPORT_OPT_IPV6_TCLASS),
	SWITCH(IPPROTO_IP, IP_PKTINFO, WASPORT_OPT_IP_PKTINFO),
	SWITCH(IPPROTO_IP, IP_RECVTTL, WASPORT_OPT_IP_RECVTTL),
	SWITCH(IPPROTO_IP, IP_RECVTOS, WASPORT_OPT_IP_RECVTOS),
	SWITCH(IPPROTO_IPV6, IPV6_RECVPKTINFO, WASPORT_OPT_IPV6_RECVPKTINFO),
	SWITCH(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, WASPORT_OPT_IPV6_RECVHOPLIMIT),
	SWITCH(IPPROTO_IPV6, IPV6_RECVTCLASS, WASPORT_OPT_IPV6_RECVTCLASS),
	SWITCH(SOL_SOCKET, SO_TIMESTAMP, WASPORT_OPT_TIMESTAMP),
#endif
};

const struct option *__wasport_option(int level, int name)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}

int32_t __wasport_ext_get_option(int fd, int option, int *value)
{
#if WASPORT_EXT
	int64_t wide;
	int32_t err = wasport_sock_get_option(fd, (uint32_t)option, &wide);
	if (err == 0)
		*value = (int)wide;
	return err;
#else
	(void)fd, (void)option, (void)value;
	return ENOPROTOOPT;
#endif
}

int32_t __wasport_ext_set_option(int fd, int option, int64_t value)
{
#if WASPORT_EXT
	return wasport_sock_set_option(fd, (uint32_t)option, value);
#else
	(void)fd, (void)option, (void)value;
	return ENOPROTOOPT;
#endif
}

int32_t __wasport_option_get(int fd, const struct option *o, int *value)
{
	uint8_t octet = 0;
	uint32_t number = 0;
	int32_t err;

	if (o->own != 0)
		return __wasport_ext_get_option(fd, o->own, value);
	err = o->get8 != NULL ? o->get8(fd, &octet) : o->get32(fd, &number);
	*value = o->get8 != NULL ? octet : (int)number;
	return err;
}

static int32_t set_option(int fd, const struct option *o, int value)
{
	if (o->own != 0)
		return __wasport_ext_set_option(fd, o->own, o->preset != 0 ? value != 0 : value);
	if (o->get8 == NULL)
		return o->set(fd, (uint32_t)value);
	if (o->set == set_loop6 && value != 0 && value != 1)
		return EINVAL; /* all other options take any number but 0 as true */
	if (o->preset == 0)
		return o->set(fd, value != 0);
	if (value == -1)
		value = o->preset;
	if (value < 0 || value > 255)
		return EINVAL;
	return o->set(fd, (uint32_t)value);
}

int32_t __wasport_option_set(int fd, const struct option *o, const int *value)
{
	int ignored;
	int32_t err = value != NULL ? set_option(fd, o, *value) : EINVAL;
	/* Linux reports an option that the socket does not have before an invalid value. */
	return err == EINVAL && __wasport_option_get(fd, o, &ignored) != 0 ? ENOPROTOOPT : err;
}

int32_t __wasport_no_option(int fd)
{
	int type;
	int32_t err = __wasport_socktype(fd, &type);
	return err != 0 ? err : ENOPROTOOPT;
}

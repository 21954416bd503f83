#include "option.h"

#include <string.h>
#include <sys/time.h>

static bool is_unix_socket(int fd)
{
#if WASPORT_EXT
	uint32_t size;
	return wasport_sock_unix_path(fd, 0, NULL, 0, &size) == 0;
#else
	(void)fd;
	return false;
#endif
}

/* The family, type and protocol of a socket are not options of the ABI, but follow from other
 * calls. */
static int32_t get_socket_kind(int fd, int name, int *value)
{
	wasport_addr addr;
	int32_t err = __wasport_socktype(fd, value);
	if (err != 0 || name == SO_TYPE)
		return err;
	if (is_unix_socket(fd)) {
		*value = name == SO_PROTOCOL ? 0 : AF_UNIX;
		return 0;
	}
	if (name == SO_PROTOCOL) {
		*value = *value == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
		return 0;
	}
	err = wasport_sock_addr_local(fd, &addr);
	*value = addr.kind == WASPORT_INET6 ? AF_INET6 : AF_INET;
	return err;
}

static int copy_value(void *value, socklen_t *len, const void *from, socklen_t size)
{
	if (*len > size)
		*len = size;
	memcpy(value, from, *len);
	return 0;
}

static int get_timeout(int fd, int name, void *value, socklen_t *len)
{
	uint64_t us = 0;
	struct timeval tv;
	if (result(name == SO_RCVTIMEO ? wasport_sock_get_recv_timeout(fd, &us)
	                               : wasport_sock_get_send_timeout(fd, &us)) != 0)
		return -1;
	memset(&tv, 0, sizeof tv);
	tv.tv_sec = (time_t)(us / 1000000);
	tv.tv_usec = (suseconds_t)(us % 1000000);
	return copy_value(value, len, &tv, sizeof tv);
}

static int get_linger(int fd, void *value, socklen_t *len)
{
	struct linger linger;
	uint8_t on = 0;
	int32_t seconds = 0;
	if (result(wasport_sock_get_linger(fd, &on, &seconds)) != 0)
		return -1;
	linger.l_onoff = on;
	linger.l_linger = seconds;
	return copy_value(value, len, &linger, sizeof linger);
}

static int get_multicast_interface(int fd, void *value, socklen_t *len)
{
	int number = 0;
	struct in_addr addr;
	if (result(__wasport_ext_get_option(fd, WASPORT_OPT_IP_MULTICAST_IF, &number)) != 0)
		return -1;
	addr.s_addr = htonl((uint32_t)number);
	return copy_value(value, len, &addr, sizeof addr);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	int number = 0;
	int32_t err;
	const struct option *o;

	if (value == NULL || len == NULL)
		return result(EFAULT);
	if ((int)*len < 0)
		return result(EINVAL);
	o = __wasport_option(level, name);
	if (o != NULL)
		err = __wasport_option_get(fd, o, &number);
	else if (level == SOL_SOCKET && (name == SO_TYPE || name == SO_DOMAIN || name == SO_PROTOCOL))
		err = get_socket_kind(fd, name, &number);
	else if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
		return get_timeout(fd, name, value, len);
	else if (level == SOL_SOCKET && name == SO_LINGER)
		return get_linger(fd, value, len);
#if !WASPORT_EXT
	else if (level == SOL_SOCKET && name == SO_ERROR)
		err = __wasport_pending_error(fd, &number);
#endif
	else if (level == IPPROTO_IP && name == IP_MULTICAST_IF)
		return get_multicast_interface(fd, value, len);
	else
		err = __wasport_no_option(fd);
	if (err != 0)
		return result(err);
	/* IPv4's options may be read as a char. */
	if (level == IPPROTO_IP && *len > 0 && *len < sizeof number)
		*len = 1;
	return copy_value(value, len, &number, sizeof number);
}

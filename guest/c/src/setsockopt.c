#include "option.h"

#include <string.h>
#include <sys/time.h>

static int32_t set_timeout(int fd, int name, const void *value, socklen_t len)
{
	struct timeval tv;
	uint64_t us;
	if (len < sizeof tv)
		return EINVAL;
	memcpy(&tv, value, sizeof tv);
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return EDOM;
	/* Linux takes a negative time as one that expires at once; 0 would mean no time-out
	 * (socket(7)). */
	us = tv.tv_sec < 0 ? 1 : (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
	return name == SO_RCVTIMEO ? wasport_sock_set_recv_timeout(fd, us)
	                           : wasport_sock_set_send_timeout(fd, us);
}

static int32_t set_linger(int fd, const void *value, socklen_t len)
{
	struct linger linger;
	if (len < sizeof linger)
		return EINVAL;
	memcpy(&linger, value, sizeof linger);
	return wasport_sock_set_linger(fd, linger.l_onoff != 0, linger.l_linger);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int number;
	const struct option *o;

	if (value == NULL)
		return result(EFAULT);
	if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
		return result(set_timeout(fd, name, value, len));
	if (level == SOL_SOCKET && name == SO_LINGER)
		return result(set_linger(fd, value, len));
	if (level == IPPROTO_IP && name == IP_MULTICAST_IF)
		return result(__wasport_set_multicast_interface(fd, value, len));
	if (__wasport_is_membership(level, name))
		return result(__wasport_set_membership(fd, level, name, value, len));

	o = __wasport_option(level, name);
	if (o == NULL)
		return result(
		    level == SOL_SOCKET && len < sizeof number ? EINVAL : __wasport_no_option(fd));
	if (len >= sizeof number)
		memcpy(&number, value, sizeof number);
	else if (len >= 1 && level == IPPROTO_IP) /* as Linux does */
		number = *(const unsigned char *)value;
	else
		return result(__wasport_option_set(fd, o, NULL));
	return result(__wasport_option_set(fd, o, &number));
}

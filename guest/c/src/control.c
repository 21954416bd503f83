#include "control.h"

#include <string.h>
#include <sys/time.h>

/* Linux's errors are those of ip_cmsg_send, ip6_datagram_send_ctl and __sock_cmsg_send. */

static int32_t get_int(const struct cmsghdr *c, int32_t *value)
{
	int number;
	if (c->cmsg_len != CMSG_LEN(sizeof number))
		return EINVAL;
	memcpy(&number, CMSG_DATA(c), sizeof number);
	*value = number;
	return 0;
}

static int32_t encode4(const struct cmsghdr *c, wasport_control *control)
{
	struct in_pktinfo info;

	switch (c->cmsg_type) {
	case IP_PKTINFO:
		if (c->cmsg_len != CMSG_LEN(sizeof info))
			return EINVAL;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		control->fields |= WASPORT_PKTINFO;
		control->interface = (uint32_t)info.ipi_ifindex;
		control->source.kind = WASPORT_INET4;
		memcpy(control->source.u.v4.ip, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
		return 0;
	case IP_TTL:
		control->fields |= WASPORT_TTL;
		return get_int(c, &control->hops);
	case IP_TOS:
		control->fields |= WASPORT_TOS;
		if (c->cmsg_len != CMSG_LEN(1))
			return get_int(c, &control->traffic_class);
		control->traffic_class = *CMSG_DATA(c);
		return 0;
	}
	return EINVAL;
}

static int32_t encode6(const struct cmsghdr *c, wasport_control *control)
{
	struct in6_pktinfo info;

	switch (c->cmsg_type) {
	case IPV6_PKTINFO:
		if (c->cmsg_len < CMSG_LEN(sizeof info))
			return EINVAL;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		control->fields |= WASPORT_PKTINFO6;
		control->interface = info.ipi6_ifindex;
		control->source.kind = WASPORT_INET6;
		__wasport_encode_ip6(&info.ipi6_addr, control->source.u.v6.ip);
		return 0;
	case IPV6_HOPLIMIT:
		control->fields |= WASPORT_HOPLIMIT;
		return get_int(c, &control->hops);
	case IPV6_TCLASS:
		control->fields |= WASPORT_TCLASS;
		return get_int(c, &control->traffic_class);
	}
	return EINVAL;
}

int32_t __wasport_encode_control(const struct msghdr *msg, wasport_control *control)
{
	struct cmsghdr *c;
	int32_t err = 0;

	memset(control, 0, sizeof *control);
	for (c = CMSG_FIRSTHDR(msg); c != NULL && err == 0; c = CMSG_NXTHDR(msg, c)) {
		size_t at = (size_t)((char *)c - (char *)msg->msg_control);
		if (c->cmsg_len < sizeof *c || c->cmsg_len > msg->msg_controllen - at)
			return EINVAL;
		if (c->cmsg_level == IPPROTO_IP)
			err = encode4(c, control);
		else if (c->cmsg_level == IPPROTO_IPV6)
			err = encode6(c, control);
		else if (c->cmsg_level == SOL_SOCKET)
			err = c->cmsg_type == SCM_RIGHTS ? EOPNOTSUPP : EINVAL;
	}
	return err;
}

/* Appends a message, as much of it as fits (put_cmsg of Linux). */
static void put(struct msghdr *msg, socklen_t *used, int level, int type, const void *data,
    socklen_t size)
{
	socklen_t left = msg->msg_control != NULL ? msg->msg_controllen - *used : 0;
	struct cmsghdr header = {CMSG_LEN(size), level, type};
	char *at = (char *)msg->msg_control + *used;

	if (left < sizeof header) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	if (left < header.cmsg_len) {
		msg->msg_flags |= MSG_CTRUNC;
		header.cmsg_len = left;
	}
	memcpy(at, &header, sizeof header);
	memcpy(at + CMSG_LEN(0), data, header.cmsg_len - CMSG_LEN(0));
	*used += left < CMSG_SPACE(size) ? left : CMSG_SPACE(size);
}

static void decode_ip6(const wasport_addr *addr, struct in6_addr *ip6)
{
	memset(ip6, 0, sizeof *ip6);
	if (addr->kind == WASPORT_INET6) {
		for (int i = 0; i < 8; i++) {
			ip6->s6_addr[2 * i] = (uint8_t)(addr->u.v6.ip[i] >> 8);
			ip6->s6_addr[2 * i + 1] = (uint8_t)addr->u.v6.ip[i];
		}
		return;
	}
	ip6->s6_addr[10] = ip6->s6_addr[11] = 0xff;
	memcpy(&ip6->s6_addr[12], addr->u.v4.ip, 4);
}

void __wasport_decode_control(const wasport_control *control, struct msghdr *msg)
{
	uint32_t fields = control->fields;
	socklen_t used = 0;

	if (fields & WASPORT_TIMESTAMP) {
		struct timeval tv;
		memset(&tv, 0, sizeof tv);
		tv.tv_sec = (time_t)(control->time / 1000000000);
		tv.tv_usec = (suseconds_t)(control->time % 1000000000 / 1000);
		put(msg, &used, SOL_SOCKET, SCM_TIMESTAMP, &tv, sizeof tv);
	}
	if (fields & WASPORT_PKTINFO6) {
		struct in6_pktinfo info = {.ipi6_ifindex = control->interface};
		decode_ip6(&control->destination, &info.ipi6_addr);
		put(msg, &used, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	}
	if (fields & WASPORT_HOPLIMIT)
		put(msg, &used, IPPROTO_IPV6, IPV6_HOPLIMIT, &control->hops, sizeof(int));
	if (fields & WASPORT_TCLASS)
		put(msg, &used, IPPROTO_IPV6, IPV6_TCLASS, &control->traffic_class, sizeof(int));
	if (fields & WASPORT_PKTINFO) {
		struct in_pktinfo info = {.ipi_ifindex = (int)control->interface};
		memcpy(&info.ipi_addr, control->destination.u.v4.ip, sizeof info.ipi_addr);
		memcpy(&info.ipi_spec_dst, control->source.u.v4.ip, sizeof info.ipi_spec_dst);
		put(msg, &used, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
	if (fields & WASPORT_TTL)
		put(msg, &used, IPPROTO_IP, IP_TTL, &control->hops, sizeof(int));
	if (fields & WASPORT_TOS) {
		unsigned char tos = (unsigned char)control->traffic_class;
		put(msg, &used, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	}
	msg->msg_controllen = used;
}

#include "sock.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ((const struct sockaddr_in *)sa)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)sa)->sin6_addr);
}

static void add_zone(const struct sockaddr_in6 *in6, int flags, char *text)
{
	char name[IF_NAMESIZE];

	if (in6->sin6_scope_id == 0)
		return;
	if ((flags & NI_NUMERICSCOPE) || if_indextoname(in6->sin6_scope_id, name) == NULL)
		sprintf(name, "%u", in6->sin6_scope_id);
	strcat(strcat(text, "%"), name);
}

static int copy_text(char *to, socklen_t room, const char *text)
{
	if (strlen(text) >= room)
		return EAI_OVERFLOW;
	strcpy(to, text);
	return 0;
}

/* The ABI has no reverse lookup. Only the name of the loopback addresses is known without one. */
static int copy_host(const struct sockaddr *sa, char *host, socklen_t room, int flags)
{
	char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];

	if (!(flags & NI_NUMERICHOST) && is_loopback(sa))
		return copy_text(host, room, "localhost");
	if (flags & NI_NAMEREQD)
		return EAI_NONAME;
	if (sa->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, text, sizeof text);
	} else {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, text, sizeof text);
		add_zone((const struct sockaddr_in6 *)sa, flags, text);
	}
	return copy_text(host, room, text);
}

static int copy_service(const struct sockaddr *sa, char *name, socklen_t room, int flags)
{
	/* Both families have their port in the same place. */
	uint16_t port = ntohs(((const struct sockaddr_in *)sa)->sin_port);
	const struct service *s = NULL;
	char text[sizeof "65535"];

	if (!(flags & NI_NUMERICSERV))
		s = __wasport_service_by_port(port, flags & NI_DGRAM ? SERVICE_UDP : SERVICE_TCP);
	sprintf(text, "%u", port);
	return copy_text(name, room, s != NULL ? s->name : text);
}

int getnameinfo(const struct sockaddr *restrict sa, socklen_t len, char *restrict host,
    socklen_t host_room, char *restrict service, socklen_t service_room, int flags)
{
	wasport_addr addr;
	int err = 0;

	if (flags &
	    ~(NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM | NI_NUMERICSCOPE))
		return EAI_BADFLAGS;
	if (__wasport_encode(sa, len, &addr) != 0)
		return EAI_FAMILY;
	if ((host == NULL || host_room == 0) && (service == NULL || service_room == 0))
		return EAI_NONAME;
	if (host != NULL && host_room > 0)
		err = copy_host(sa, host, host_room, flags);
	if (err == 0 && service != NULL && service_room > 0)
		err = copy_service(sa, service, service_room, flags);
	return err;
}

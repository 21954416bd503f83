#include "sock.h"

#include <netdb.h>
#include <string.h>

#define BOTH (SERVICE_TCP | SERVICE_UDP)

static const struct service services[] = {
	{"echo", 7, BOTH},
	{"discard", 9, BOTH},
	{"daytime", 13, SERVICE_TCP},
	{"ftp-data", 20, SERVICE_TCP},
	{"ftp", 21, SERVICE_TCP},
	{"ssh", 22, SERVICE_TCP},
	{"telnet", 23, SERVICE_TCP},
	{"smtp", 25, SERVICE_TCP},
	{"time", 37, BOTH},
	{"whois", 43, SERVICE_TCP},
	{"domain", 53, BOTH},
	{"bootps", 67, SERVICE_UDP},
	{"bootpc", 68, SERVICE_UDP},
	{"tftp", 69, SERVICE_UDP},
	{"gopher", 70, SERVICE_TCP},
	{"finger", 79, SERVICE_TCP},
	{"http", 80, SERVICE_TCP},
	{"kerberos", 88, BOTH},
	{"pop3", 110, SERVICE_TCP},
	{"nntp", 119, SERVICE_TCP},
	{"ntp", 123, SERVICE_UDP},
	{"imap2", 143, SERVICE_TCP},
	{"imap", 143, SERVICE_TCP},
	{"snmp", 161, BOTH},
	{"snmp-trap", 162, BOTH},
	{"irc", 194, BOTH},
	{"ldap", 389, BOTH},
	{"https", 443, BOTH},
	{"submissions", 465, SERVICE_TCP},
	{"syslog", 514, SERVICE_UDP},
	{"submission", 587, SERVICE_TCP},
	{"ldaps", 636, BOTH},
	{"domain-s", 853, BOTH},
	{"rsync", 873, SERVICE_TCP},
	{"imaps", 993, SERVICE_TCP},
	{"pop3s", 995, SERVICE_TCP},
	{"socks", 1080, SERVICE_TCP},
	{"openvpn", 1194, BOTH},
	{"mqtt", 1883, SERVICE_TCP},
	{"nfs", 2049, BOTH},
	{"mysql", 3306, SERVICE_TCP},
	{"sip", 5060, BOTH},
	{"sip-tls", 5061, BOTH},
	{"xmpp-client", 5222, SERVICE_TCP},
	{"xmpp-server", 5269, SERVICE_TCP},
	{"mdns", 5353, SERVICE_UDP},
	{"postgresql", 5432, SERVICE_TCP},
	{"amqp", 5672, SERVICE_TCP},
	{"redis", 6379, SERVICE_TCP},
	{"http-alt", 8080, BOTH},
	{"secure-mqtt", 8883, SERVICE_TCP},
	{"git", 9418, SERVICE_TCP},
};

static const struct {
	const char *name, *alias;
	int number;
} protocols[] = {
	{"ip", "IP", IPPROTO_IP},
	{"icmp", "ICMP", IPPROTO_ICMP},
	{"tcp", "TCP", IPPROTO_TCP},
	{"udp", "UDP", IPPROTO_UDP},
	{"ipv6", "IPv6", IPPROTO_IPV6},
	{"ipv6-icmp", "IPv6-ICMP", IPPROTO_ICMPV6},
};

const struct service *__wasport_service_by_name(const char *name, int wanted)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if ((services[i].protocols & wanted) && strcmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}

const struct service *__wasport_service_by_port(uint16_t port, int wanted)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if ((services[i].protocols & wanted) && services[i].port == port)
			return &services[i];
	return NULL;
}

static int protocol_mask(const char *protocol)
{
	if (protocol == NULL)
		return BOTH;
	return strcmp(protocol, "tcp") == 0   ? SERVICE_TCP
	       : strcmp(protocol, "udp") == 0 ? SERVICE_UDP
	                                      : 0;
}

static struct servent *fill_servent(const struct service *s, int wanted)
{
	static _Thread_local struct servent entry;
	static char *no_aliases[1];

	if (s == NULL)
		return NULL;
	entry.s_name = (char *)s->name;
	entry.s_aliases = no_aliases;
	entry.s_port = htons(s->port);
	entry.s_proto = (char *)(s->protocols & wanted & SERVICE_TCP ? "tcp" : "udp");
	return &entry;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
	int wanted = protocol_mask(protocol);
	return fill_servent(__wasport_service_by_name(name, wanted), wanted);
}

struct servent *getservbyport(int port, const char *protocol)
{
	int wanted = protocol_mask(protocol);
	return fill_servent(__wasport_service_by_port(ntohs((uint16_t)port), wanted), wanted);
}

static struct protoent *fill_protoent(size_t i)
{
	static _Thread_local struct protoent entry;
	static _Thread_local char *aliases[2];

	aliases[0] = (char *)protocols[i].alias;
	entry.p_name = (char *)protocols[i].name;
	entry.p_aliases = aliases;
	entry.p_proto = protocols[i].number;
	return &entry;
}

struct protoent *getprotobyname(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (strcmp(protocols[i].name, name) == 0 || strcmp(protocols[i].alias, name) == 0)
			return fill_protoent(i);
	return NULL;
}

struct protoent *getprotobynumber(int number)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (protocols[i].number == number)
			return fill_protoent(i);
	return NULL;
}

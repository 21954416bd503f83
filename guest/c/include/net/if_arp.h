/* <net/if_arp.h>: types and numbers of ARP (RFC 826). No ioctl of it works. */
#ifndef _NET_IF_ARP_H
#define _NET_IF_ARP_H

#include <stdint.h>
#include <sys/socket.h>

#define ARPOP_REQUEST 1
#define ARPOP_REPLY 2
#define ARPOP_RREQUEST 3
#define ARPOP_RREPLY 4

#define ARPHRD_ETHER 1
#define ARPHRD_IEEE802 6
#define ARPHRD_PPP 512
#define ARPHRD_TUNNEL 768
#define ARPHRD_TUNNEL6 769
#define ARPHRD_LOOPBACK 772
#define ARPHRD_SIT 776
#define ARPHRD_VOID 0xffff
#define ARPHRD_NONE 0xfffe

#define ATF_COM 0x02
#define ATF_PERM 0x04
#define ATF_PUBL 0x08

struct arphdr {
	uint16_t ar_hrd;
	uint16_t ar_pro;
	uint8_t ar_hln;
	uint8_t ar_pln;
	uint16_t ar_op;
};

struct arpreq {
	struct sockaddr arp_pa;
	struct sockaddr arp_ha;
	int arp_flags;
	struct sockaddr arp_netmask;
	char arp_dev[16];
};


#endif

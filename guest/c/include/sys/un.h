/* <sys/un.h>: types only. The host has no Unix sockets: socket(AF_UNIX, ...) fails with
 * EAFNOSUPPORT. */
#ifndef _SYS_UN_H
#define _SYS_UN_H

#include <features.h>

#include <__struct_sockaddr_un.h>

#if defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
#include <string.h>
#define SUN_LEN(un) (sizeof(sa_family_t) + strlen((un)->sun_path))
#endif

#endif

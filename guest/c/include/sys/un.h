/* <sys/un.h>: addresses of Unix-domain sockets. Paths lead beneath the directories of the guest. */
#ifndef _SYS_UN_H
#define _SYS_UN_H

#include <features.h>

#include <__struct_sockaddr_un.h>

#if defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
#include <string.h>
#define SUN_LEN(un) (sizeof(sa_family_t) + strlen((un)->sun_path))
#endif

#endif

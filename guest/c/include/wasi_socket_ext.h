/* <wasi_socket_ext.h>, which sources for WAMR include: here the usual headers have everything that
 * is in it. */
#ifndef WASPORT_WASI_SOCKET_EXT_H
#define WASPORT_WASI_SOCKET_EXT_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#endif

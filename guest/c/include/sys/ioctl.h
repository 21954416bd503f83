/* <sys/ioctl.h>: wasi-libc's, and requests of network programs. FIONREAD, FIONBIO and SIOCATMARK
 * work, and TIOCGWINSZ, which tells of a terminal that its size is unknown: 0 by 0. The others fail
 * with ENOTTY. */
#include_next <sys/ioctl.h>

#ifndef WASPORT_SYS_IOCTL_H
#define WASPORT_SYS_IOCTL_H

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif
#ifndef TIOCGWINSZ
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414

struct winsize {
	unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};
#endif
#ifndef SIOCGIFNAME
#define SIOCGIFNAME 0x8910
#define SIOCGIFCONF 0x8912
#define SIOCGIFFLAGS 0x8913
#define SIOCGIFADDR 0x8915
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFMTU 0x8921
#define SIOCGIFHWADDR 0x8927
#define SIOCGIFINDEX 0x8933
#endif

#endif

/* Control messages (cmsg(3)), and the ABI's control data. */
#ifndef CONTROL_H
#define CONTROL_H

#include "sock.h"

/* Reads the messages of msg_control. */
HIDDEN int32_t __wasport_encode_control(const struct msghdr *msg, wasport_control *control);
/* Writes messages into msg_control as far as they fit, and adds MSG_CTRUNC to msg_flags if they do
 * not. */
HIDDEN void __wasport_decode_control(const wasport_control *control, struct msghdr *msg);

#endif

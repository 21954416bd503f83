#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A terminal as it is at first on Linux (tty_std_termios). */
static const struct termios initial = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0},
	.c_ispeed = B38400,
	.c_ospeed = B38400,
};

/* Returns 0 for a terminal, or -1 with errno set: EBADF or ENOTTY. */
static int check(int fd)
{
	return isatty(fd) ? 0 : -1;
}

static int refuse(int fd)
{
	if (check(fd) == 0)
		errno = ENOTSUP;
	return -1;
}

int tcgetattr(int fd, struct termios *t)
{
	if (check(fd) != 0)
		return -1;
	*t = initial;
	return 0;
}

int tcsetattr(int fd, int when, const struct termios *t)
{
	if (when < TCSANOW || when > TCSAFLUSH) {
		errno = EINVAL;
		return -1;
	}
	return memcmp(t, &initial, sizeof initial) == 0 ? check(fd) : refuse(fd);
}

speed_t cfgetispeed(const struct termios *t)
{
	return t->c_ispeed;
}

speed_t cfgetospeed(const struct termios *t)
{
	return t->c_ospeed;
}

int cfsetispeed(struct termios *t, speed_t speed)
{
	t->c_ispeed = speed;
	return 0;
}

int cfsetospeed(struct termios *t, speed_t speed)
{
	t->c_ospeed = speed;
	return 0;
}

int cfsetspeed(struct termios *t, speed_t speed)
{
	t->c_ispeed = t->c_ospeed = speed;
	return 0;
}

void cfmakeraw(struct termios *t)
{
	t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t->c_oflag &= ~(tcflag_t)OPOST;
	t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t->c_cflag = (t->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

/* Nothing is kept between a write and the terminal. */
int tcdrain(int fd)
{
	return check(fd);
}

int tcflow(int fd, int action)
{
	(void)action;
	return refuse(fd);
}

int tcflush(int fd, int queue)
{
	(void)queue;
	return refuse(fd);
}

int tcsendbreak(int fd, int duration)
{
	(void)duration;
	return refuse(fd);
}

int ttyname_r(int fd, char *name, size_t size)
{
	(void)name, (void)size;
	return check(fd) == 0 ? ENODEV : errno;
}

char *ptsname(int fd)
{
	if (check(fd) == 0)
		errno = ENOTTY;
	return NULL;
}

pid_t tcgetsid(int fd)
{
	return refuse(fd);
}

#include <sys/stat.h>

mode_t umask(mode_t mask)
{
	static mode_t now = 022;
	mode_t was = now;

	now = mask & 0777;
	return was;
}

#include <time.h>

void tzset(void)
{
}

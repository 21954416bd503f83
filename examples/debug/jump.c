#include <setjmp.h>

int main(void)
{
	jmp_buf back;
	return setjmp(back) ? 0 : (longjmp(back, 1), 1);
}

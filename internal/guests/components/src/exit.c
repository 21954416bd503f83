/*
 * Ends in the way that its argument names: "ok" and "error" return, "exit-ok" and "exit-error" call
 * exit, and a number is the code for exit-with-code.
 */
#include "guest.h"

u32 run(void) {
	struct list how = argument(1);

	if (equal(how, "ok"))
		return 0;
	if (equal(how, "error"))
		return 1;
	if (equal(how, "exit-ok"))
		exit_result(0);
	else if (equal(how, "exit-error"))
		exit_result(1);
	else
		exit_with_code(number(how));
	print("the guest went on\n");
	return 0;
}

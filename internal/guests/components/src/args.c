/* Prints the arguments and the environment, a line each, and the working directory, if any. */
#include "guest.h"

u32 run(void) {
	struct list_list args;
	struct list_pair environment;
	struct option_string cwd;

	get_arguments(&args);
	for (u32 i = 0; i < args.len; i++) {
		print_list(args.data[i]);
		print("\n");
	}
	get_environment(&environment);
	for (u32 i = 0; i < environment.len; i++) {
		print_list(environment.data[i].name);
		print("=");
		print_list(environment.data[i].value);
		print("\n");
	}
	initial_cwd(&cwd);
	if (cwd.some)
		print_list(cwd.value);
	return 0;
}

# redis-cli.
published redis
lacks "redis-cli" "'pthread.h' file not found" wasport cc -c src/zmalloc.c

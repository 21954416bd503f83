/* Declares setjmp and longjmp for programs that include this header and can do without them. A use
 * is an error of the compiler: a module cannot jump out of a function without WebAssembly's
 * exceptions, which wasport's engine cannot run for a module that is not trusted. */
#ifndef _SETJMP_H
#define _SETJMP_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__has_attribute) && __has_attribute(unavailable)
#define _WASPORT_NO_JUMP                                                                          \
	__attribute__((unavailable("wasport runs no WebAssembly exceptions, see "                     \
		"https://github.com/wasport/wasport/blob/main/docs/c/porting.md#setjmp-and-exceptions")))
#else
#define _WASPORT_NO_JUMP
#endif

typedef long jmp_buf[1];
typedef jmp_buf sigjmp_buf;

int setjmp(jmp_buf) _WASPORT_NO_JUMP;
int _setjmp(jmp_buf) _WASPORT_NO_JUMP;
int sigsetjmp(sigjmp_buf, int) _WASPORT_NO_JUMP;
void longjmp(jmp_buf, int) _WASPORT_NO_JUMP __attribute__((noreturn));
void _longjmp(jmp_buf, int) _WASPORT_NO_JUMP __attribute__((noreturn));
void siglongjmp(sigjmp_buf, int) _WASPORT_NO_JUMP __attribute__((noreturn));

#define setjmp setjmp
#undef _WASPORT_NO_JUMP

#ifdef __cplusplus
}
#endif

#endif

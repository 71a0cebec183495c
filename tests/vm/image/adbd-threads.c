/* Preloaded into a handset's adbd: pthread_kill() of a thread that has ended says ESRCH, as on
 * Android. glibc says 0 since 2.34 (its NEWS), and adbd, which waits for ESRCH when the cable
 * was pulled (AOSP, daemon/usb.cpp, StopWorker), would wait for ever and never come back. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int pthread_kill(pthread_t thread, int signal) {
    int (*next)(pthread_t, int) = (int (*)(pthread_t, int))dlsym(RTLD_NEXT, "pthread_kill");
    clockid_t clock;

    if (pthread_getcpuclockid(thread, &clock) == ESRCH) return ESRCH;
    return next(thread, signal);
}

/* The shells that adbd starts do without it. */
__attribute__((constructor)) static void only_here(void) {
    if (strcmp(program_invocation_short_name, "adbd") == 0) unsetenv("LD_PRELOAD");
}

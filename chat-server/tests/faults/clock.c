/* A clock that somebody sets: preloaded into the real server (LD_PRELOAD). CHAT_CLOCK names a file that has
 * the seconds by which the time of day is off. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int outcome = real(clock, now);
    const char *path = getenv("CHAT_CLOCK");
    if (clock != CLOCK_REALTIME || !path) return outcome;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    if (fd < 0) return outcome;
    char text[32] = "";
    if (syscall(SYS_read, fd, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
    syscall(SYS_close, fd);
    return outcome;
}

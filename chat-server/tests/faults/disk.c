/* A disk that fails when it is told to, and keeps a journal of what it was asked: preloaded into the real
 * server (LD_PRELOAD), whose own code knows nothing of it. Only calls about one file are looked at.
 *
 *   CHAT_DISK_FILE     that file
 *   CHAT_DISK_FAULTS   a file that may exist, of lines "CALL ERRNO": these calls fail; with "once" behind
 *                      it, only the first of them, and the file is gone
 *   CHAT_DISK_JOURNAL  where it is written what succeeded: a letter, two numbers, and the bytes of a write
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t journal_lock = PTHREAD_MUTEX_INITIALIZER;

static int is_at(int fd, const char *path) {
    struct stat ours, theirs;
    return path && !stat(path, &theirs) && !fstat(fd, &ours) && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static int is_file(int fd) { return is_at(fd, getenv("CHAT_DISK_FILE")); }

static int is_directory(int fd) {
    const char *file = getenv("CHAT_DISK_FILE");
    char copy[4096];
    if (!file || strlen(file) >= sizeof copy) return 0;
    return is_at(fd, dirname(strcpy(copy, file)));
}

/* The error with which the call is to fail, or 0. */
static int fault(const char *call) {
    const char *path = getenv("CHAT_DISK_FAULTS");
    int found = 0, fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) : -1;
    char text[512], *line, *rest = text;
    if (fd < 0) return 0;
    ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[length < 0 ? 0 : length] = 0;
    while ((line = strsep(&rest, "\n"))) {
        char name[32], once[5] = "";
        int error;
        if (sscanf(line, "%31s %d %4s", name, &error, once) < 2 || strcmp(name, call)) continue;
        found = error;
        if (*once) unlink(path);
    }
    return found;
}

static void note(char what, uint64_t at, uint64_t length, const struct iovec *pieces) {
    const char *path = getenv("CHAT_DISK_JOURNAL");
    if (!path) return;
    int saved = errno;
    pthread_mutex_lock(&journal_lock);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    char head[17];
    head[0] = what;
    memcpy(head + 1, &at, 8);
    memcpy(head + 9, &length, 8);
    syscall(SYS_write, fd, head, sizeof head);
    for (uint64_t left = pieces ? length : 0; left > 0; pieces++) {
        uint64_t bytes = pieces->iov_len < left ? pieces->iov_len : left;
        syscall(SYS_write, fd, pieces->iov_base, bytes);
        left -= bytes;
    }
    syscall(SYS_close, fd);
    pthread_mutex_unlock(&journal_lock);
    errno = saved;
}

static uint64_t size_of(int fd) {
    struct stat stat;
    return fstat(fd, &stat) ? 0 : (uint64_t)stat.st_size;
}

#define FAILS(call)                                                                                \
    do {                                                                                           \
        int error = fault(call);                                                                   \
        if (error) {                                                                               \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

#define REAL(name, ...) ((int (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (!is_file(fd)) return real(fd, bytes, length);
    FAILS("write");
    ssize_t written = real(fd, bytes, length);
    struct iovec piece = {(void *)bytes, length};
    /* It is opened to be appended to. */
    if (written > 0) note('w', size_of(fd) - (uint64_t)written, (uint64_t)written, &piece);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    if (!is_file(fd)) return real(fd, bytes, length, at);
    FAILS("pwrite");
    ssize_t written = real(fd, bytes, length, at);
    struct iovec piece = {(void *)bytes, length};
    if (written > 0) note('w', (uint64_t)at, (uint64_t)written, &piece);
    return written;
}

int fdatasync(int fd) {
    if (!is_file(fd)) return REAL("fdatasync", int)(fd);
    FAILS("fdatasync");
    int outcome = REAL("fdatasync", int)(fd);
    if (!outcome) note('s', 0, 0, NULL);
    return outcome;
}

int fsync(int fd) {
    int outcome = REAL("fsync", int)(fd);
    if (!outcome && is_directory(fd)) note('d', 0, 0, NULL);
    return outcome;
}

int ftruncate64(int fd, off64_t length) {
    if (!is_file(fd)) return REAL("ftruncate64", int, off64_t)(fd, length);
    FAILS("ftruncate");
    int outcome = REAL("ftruncate64", int, off64_t)(fd, length);
    if (!outcome) note('t', (uint64_t)length, 0, NULL);
    return outcome;
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    const char *file = getenv("CHAT_DISK_FILE");
    if (file && !strcmp(path, file) && (flags & O_ACCMODE) != O_RDONLY) FAILS("open");
    return REAL("open64", const char *, int, int)(path, flags, mode);
}

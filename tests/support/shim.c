/* A machine whose clock is wrong, whose disk is slow, or full: what a process asks of the C library is answered so.
   A file of three numbers says how, which the test changes while the process runs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct knobs {
    volatile int64_t clock_seconds;
    volatile int64_t sync_micros;
    volatile int64_t full;
};

static struct knobs none;
static struct knobs *knobs = &none;

__attribute__((constructor)) static void attach(void) {
    const char *path = getenv("QUORATE_SHIM");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(0, sizeof none, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        knobs = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    int code = syscall(SYS_clock_gettime, clock, out);
    if (clock == CLOCK_REALTIME && code == 0)
        out->tv_sec += knobs->clock_seconds;
    return code;
}

static void wait_for_disk(void) {
    struct timespec time = {knobs->sync_micros / 1000000, knobs->sync_micros % 1000000 * 1000};
    if (knobs->sync_micros > 0)
        nanosleep(&time, 0);
}

int fsync(int fd) {
    wait_for_disk();
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    wait_for_disk();
    return syscall(SYS_fdatasync, fd);
}

/* Sockets and the process's own log are not on that disk. */
static int has_no_room(int fd) {
    struct stat found;
    if (!knobs->full || fd <= 2)
        return 0;
    return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

#define WITH_ROOM(fd, call) (has_no_room(fd) ? (errno = ENOSPC, -1) : (call))

ssize_t write(int fd, const void *data, size_t n) {
    return WITH_ROOM(fd, syscall(SYS_write, fd, data, n));
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    return WITH_ROOM(fd, syscall(SYS_writev, fd, parts, n));
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    return WITH_ROOM(fd, syscall(SYS_pwrite64, fd, data, n, at));
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
    return WITH_ROOM(fd, syscall(SYS_pwrite64, fd, data, n, at));
}

int fallocate(int fd, int mode, off_t at, off_t n) {
    return WITH_ROOM(fd, syscall(SYS_fallocate, fd, mode, at, n));
}

int fallocate64(int fd, int mode, off64_t at, off64_t n) {
    return WITH_ROOM(fd, syscall(SYS_fallocate, fd, mode, at, n));
}

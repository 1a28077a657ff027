/* A disk that fails, for the broker's file calls: an LD_PRELOAD library.
 *
 *   BROOK_FAIL_PREFIX=DIRECTORY   whose files fail, and those of all below it
 *   BROOK_FAIL_SWITCH=FILE        while it is there they fail, with EIO; it has words that say which calls
 * do:
 *
 *     open    opening, listing, asking what is there
 *     read    reading, also by sendfile()
 *     write   writing, cutting, making, renaming, removing
 *     fsync   syncing; what was written before may be read again
 *     all     every one of these
 *     hold    nothing fails; reading a .log waits, until the word is gone
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "preload.h"

enum { kWordsMax = 256, kHoldMicros = 5000 };

/* The words of the switch file, none where it is not there. By bare system calls: those of the C library are
 * these. */
static void read_switch(char words[kWordsMax]) {
  words[0] = '\0';
  const char* path = getenv("BROOK_FAIL_SWITCH");
  if (!path) return;
  long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  long size = syscall(SYS_read, fd, words, kWordsMax - 1);
  syscall(SYS_close, fd);
  words[size < 0 ? 0 : size] = '\0';
}

static int switched_on(const char* kind) {
  char words[kWordsMax];
  read_switch(words);
  return strstr(words, kind) != NULL || strstr(words, "all") != NULL;
}

static int is_below(const char* path) {
  const char* prefix = getenv("BROOK_FAIL_PREFIX");
  if (!prefix || !*prefix) return 0;
  size_t size = strlen(prefix);
  return strncmp(path, prefix, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

static int path_fails(const char* path, const char* kind) {
  int before = errno;
  int fails = path && is_below(path) && switched_on(kind);
  errno = fails ? EIO : before;
  return fails;
}

static int at_fails(int fd, const char* name, const char* kind) {
  char path[kPathMax];
  int before = errno;
  int known = fd_path(fd, name, path);
  errno = before;
  return known && path_fails(path, kind);
}

static int fd_fails(int fd, const char* kind) { return at_fails(fd, NULL, kind); }

static int is_held(int fd) {
  char path[kPathMax];
  char words[kWordsMax];
  int before = errno;
  int held = fd_path(fd, NULL, path) && is_below(path);
  if (held) {
    size_t size = strlen(path);
    read_switch(words);
    held = size > 4 && strcmp(path + size - 4, ".log") == 0 && strstr(words, "hold") != NULL;
  }
  errno = before;
  return held;
}

static void wait_while_held(int fd) {
  while (is_held(fd)) usleep(kHoldMicros);
}

/* Opening */

static mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define HOOK_OPEN(name)                        \
  int name(const char* path, int flags, ...) { \
    va_list arguments;                         \
    va_start(arguments, flags);                \
    mode_t mode = mode_of(flags, arguments);   \
    va_end(arguments);                         \
    if (path_fails(path, "open")) return -1;   \
    return NEXT(name)(path, flags, mode);      \
  }
HOOK_OPEN(open)
HOOK_OPEN(open64)

#define HOOK_OPENAT(name)                              \
  int name(int fd, const char* path, int flags, ...) { \
    va_list arguments;                                 \
    va_start(arguments, flags);                        \
    mode_t mode = mode_of(flags, arguments);           \
    va_end(arguments);                                 \
    if (at_fails(fd, path, "open")) return -1;         \
    return NEXT(name)(fd, path, flags, mode);          \
  }
HOOK_OPENAT(openat)
HOOK_OPENAT(openat64)

DIR* opendir(const char* path) {
  if (path_fails(path, "open")) return NULL;
  return NEXT(opendir)(path);
}

int access(const char* path, int mode) {
  if (path_fails(path, "open")) return -1;
  return NEXT(access)(path, mode);
}

#define HOOK_STAT(name, type)                   \
  int name(const char* path, struct type* to) { \
    if (path_fails(path, "open")) return -1;    \
    return NEXT(name)(path, to);                \
  }
HOOK_STAT(stat, stat)
HOOK_STAT(stat64, stat64)
HOOK_STAT(lstat, stat)
HOOK_STAT(lstat64, stat64)
HOOK_STAT(statvfs, statvfs)
HOOK_STAT(statvfs64, statvfs64)

#define HOOK_FSTATAT(name, type)                                   \
  int name(int fd, const char* path, struct type* to, int flags) { \
    if (at_fails(fd, path, "open")) return -1;                     \
    return NEXT(name)(fd, path, to, flags);                        \
  }
HOOK_FSTATAT(fstatat, stat)
HOOK_FSTATAT(fstatat64, stat64)

/* Reading */

ssize_t read(int fd, void* to, size_t size) {
  if (fd_fails(fd, "read")) return -1;
  return NEXT(read)(fd, to, size);
}

#define HOOK_PREAD(name)                                  \
  ssize_t name(int fd, void* to, size_t size, off_t at) { \
    wait_while_held(fd);                                  \
    if (fd_fails(fd, "read")) return -1;                  \
    return NEXT(name)(fd, to, size, at);                  \
  }
HOOK_PREAD(pread)
HOOK_PREAD(pread64)

#define HOOK_PREADV(name)                                             \
  ssize_t name(int fd, const struct iovec* to, int count, off_t at) { \
    wait_while_held(fd);                                              \
    if (fd_fails(fd, "read")) return -1;                              \
    return NEXT(name)(fd, to, count, at);                             \
  }
HOOK_PREADV(preadv)
HOOK_PREADV(preadv64)

#define HOOK_PREADV2(name)                                                       \
  ssize_t name(int fd, const struct iovec* to, int count, off_t at, int flags) { \
    if ((flags & RWF_NOWAIT) && is_held(fd)) {                                   \
      errno = EAGAIN;                                                            \
      return -1;                                                                 \
    }                                                                            \
    wait_while_held(fd);                                                         \
    if (fd_fails(fd, "read")) return -1;                                         \
    return NEXT(name)(fd, to, count, at, flags);                                 \
  }
HOOK_PREADV2(preadv2)
HOOK_PREADV2(preadv64v2)

#define HOOK_SENDFILE(name)                                \
  ssize_t name(int to, int from, off_t* at, size_t size) { \
    if (fd_fails(from, "read")) return -1;                 \
    return NEXT(name)(to, from, at, size);                 \
  }
HOOK_SENDFILE(sendfile)
HOOK_SENDFILE(sendfile64)

/* Writing */

ssize_t write(int fd, const void* from, size_t size) {
  if (fd_fails(fd, "write")) return -1;
  return NEXT(write)(fd, from, size);
}

#define HOOK_PWRITE(name)                                         \
  ssize_t name(int fd, const void* from, size_t size, off_t at) { \
    if (fd_fails(fd, "write")) return -1;                         \
    return NEXT(name)(fd, from, size, at);                        \
  }
HOOK_PWRITE(pwrite)
HOOK_PWRITE(pwrite64)

ssize_t writev(int fd, const struct iovec* from, int count) {
  if (fd_fails(fd, "write")) return -1;
  return NEXT(writev)(fd, from, count);
}

#define HOOK_PWRITEV(name)                                              \
  ssize_t name(int fd, const struct iovec* from, int count, off_t at) { \
    if (fd_fails(fd, "write")) return -1;                               \
    return NEXT(name)(fd, from, count, at);                             \
  }
HOOK_PWRITEV(pwritev)
HOOK_PWRITEV(pwritev64)

#define HOOK_PWRITEV2(name)                                                        \
  ssize_t name(int fd, const struct iovec* from, int count, off_t at, int flags) { \
    if (fd_fails(fd, "write")) return -1;                                          \
    return NEXT(name)(fd, from, count, at, flags);                                 \
  }
HOOK_PWRITEV2(pwritev2)
HOOK_PWRITEV2(pwritev64v2)

#define HOOK_FTRUNCATE(name)              \
  int name(int fd, off_t size) {          \
    if (fd_fails(fd, "write")) return -1; \
    return NEXT(name)(fd, size);          \
  }
HOOK_FTRUNCATE(ftruncate)
HOOK_FTRUNCATE(ftruncate64)

#define HOOK_ALLOCATE(name)                \
  int name(int fd, off_t at, off_t size) { \
    if (fd_fails(fd, "write")) return EIO; \
    return NEXT(name)(fd, at, size);       \
  }
HOOK_ALLOCATE(posix_fallocate)
HOOK_ALLOCATE(posix_fallocate64)

int mkdir(const char* path, mode_t mode) {
  if (path_fails(path, "write")) return -1;
  return NEXT(mkdir)(path, mode);
}

int rename(const char* from, const char* to) {
  if (path_fails(from, "write") || path_fails(to, "write")) return -1;
  return NEXT(rename)(from, to);
}

#define HOOK_REMOVAL(name)                    \
  int name(const char* path) {                \
    if (path_fails(path, "write")) return -1; \
    return NEXT(name)(path);                  \
  }
HOOK_REMOVAL(unlink)
HOOK_REMOVAL(rmdir)
HOOK_REMOVAL(remove)

int unlinkat(int fd, const char* path, int flags) {
  if (at_fails(fd, path, "write")) return -1;
  return NEXT(unlinkat)(fd, path, flags);
}

/* Syncing */

#define HOOK_SYNC(name)                   \
  int name(int fd) {                      \
    if (fd_fails(fd, "fsync")) return -1; \
    return NEXT(name)(fd);                \
  }
HOOK_SYNC(fsync)
HOOK_SYNC(fdatasync)
HOOK_SYNC(syncfs)

/* Writes down what a broker does to its files, so that a power cut can be made of it: an LD_PRELOAD library.
 *
 *   BROOK_JOURNAL_PREFIX=DIRECTORY   whose files
 *   BROOK_JOURNAL=FILE               what is appended to, in the order in which it was done
 *
 * An entry is a head, two paths and data; power_cut_disk.py reads it. An entry stands in the journal before
 * the call returns, so what a client was told is never ahead of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
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

#include "preload.h"

enum entry_kind {
  kWrite = 1,
  kTruncate,
  kCreate,
  kMakeDirectory,
  kRename,
  kRemove,
  kSyncBegins,
  kSyncAllBegins,
  kSyncDone,
  kExtend
};

struct head {
  uint32_t kind;
  uint32_t path_bytes;
  uint32_t second_path_bytes;
  uint32_t data_bytes;
  uint64_t number; /* a position, a size, or which sync */
};

static pthread_mutex_t mutex =
    PTHREAD_MUTEX_INITIALIZER; /* over a change and its entry: they have one order */
static long journal = -1;
static uint64_t syncs = 0;

static int is_below(const char* path) {
  const char* prefix = getenv("BROOK_JOURNAL_PREFIX");
  if (!prefix || !*prefix || !path) return 0;
  size_t size = strlen(prefix);
  return strncmp(path, prefix, size) == 0 && path[size] == '/';
}

/* Whether the file is one of those; of a directory itself, too, where `or_top`. */
static int known_fd(int fd, char* path, int or_top) {
  int before = errno;
  const char* prefix = getenv("BROOK_JOURNAL_PREFIX");
  int known = fd_path(fd, NULL, path) && (is_below(path) || (or_top && prefix && strcmp(path, prefix) == 0));
  errno = before;
  return known;
}

static void put(const void* data, size_t size) {
  for (const char* at = data; size > 0;) {
    long written = syscall(SYS_write, journal, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) abort(); /* a test that goes on without its journal would show nothing */
    at += written;
    size -= (size_t)written;
  }
}

/* The mutex is held. `size` bytes of `parts` are the data. */
static void note(enum entry_kind kind, const char* path, const char* second, uint64_t number,
                 const struct iovec* parts, size_t size) {
  int before = errno;
  if (journal < 0) {
    const char* file = getenv("BROOK_JOURNAL");
    if (!file) return;
    journal = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (journal < 0) abort();
  }
  struct head head = {(uint32_t)kind, (uint32_t)strlen(path), (uint32_t)strlen(second), (uint32_t)size,
                      number};
  put(&head, sizeof head);
  put(path, head.path_bytes);
  put(second, head.second_path_bytes);
  for (; size > 0; parts++) {
    size_t piece = parts->iov_len < size ? parts->iov_len : size;
    put(parts->iov_base, piece);
    size -= piece;
  }
  errno = before;
}

/* Opening */

static int exists(const char* path) {
  int before = errno;
  int found = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
  errno = before;
  return found;
}

static int open_noted(const char* path, int flags, mode_t mode) {
  if (!is_below(path) || !(flags & (O_CREAT | O_TRUNC))) return NEXT(openat)(AT_FDCWD, path, flags, mode);
  pthread_mutex_lock(&mutex);
  int was_there = exists(path);
  int fd = NEXT(openat)(AT_FDCWD, path, flags, mode);
  if (fd >= 0 && !was_there) note(kCreate, path, "", 0, NULL, 0);
  if (fd >= 0 && was_there && (flags & O_TRUNC)) note(kTruncate, path, "", 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define HOOK_OPEN(name)                        \
  int name(const char* path, int flags, ...) { \
    va_list arguments;                         \
    va_start(arguments, flags);                \
    mode_t mode = mode_of(flags, arguments);   \
    va_end(arguments);                         \
    return open_noted(path, flags, mode);      \
  }
HOOK_OPEN(open)
HOOK_OPEN(open64)

/* Names */

int mkdir(const char* path, mode_t mode) {
  pthread_mutex_lock(&mutex);
  int outcome = NEXT(mkdir)(path, mode);
  if (outcome == 0 && is_below(path)) note(kMakeDirectory, path, "", 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return outcome;
}

int rename(const char* from, const char* to) {
  pthread_mutex_lock(&mutex);
  int outcome = NEXT(rename)(from, to);
  if (outcome == 0 && is_below(from)) note(kRename, from, to, 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return outcome;
}

#define HOOK_REMOVAL(name)                                                   \
  int name(const char* path) {                                               \
    pthread_mutex_lock(&mutex);                                              \
    int outcome = NEXT(name)(path);                                          \
    if (outcome == 0 && is_below(path)) note(kRemove, path, "", 0, NULL, 0); \
    pthread_mutex_unlock(&mutex);                                            \
    return outcome;                                                          \
  }
HOOK_REMOVAL(unlink)
HOOK_REMOVAL(rmdir)
HOOK_REMOVAL(remove)

int unlinkat(int fd, const char* name, int flags) {
  char path[kPathMax];
  pthread_mutex_lock(&mutex);
  int known = fd_path(fd, name, path) && is_below(path);
  int outcome = NEXT(unlinkat)(fd, name, flags);
  if (outcome == 0 && known) note(kRemove, path, "", 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return outcome;
}

/* Content */

static ssize_t write_noted(int fd, const struct iovec* parts, int count, off_t at, int flags) {
  char path[kPathMax];
  if (!known_fd(fd, path, 0)) return NEXT(pwritev2)(fd, parts, count, at, flags);
  pthread_mutex_lock(&mutex);
  known_fd(fd, path, 0); /* the name that it has now */
  off_t where = at >= 0 ? at : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
  ssize_t written = NEXT(pwritev2)(fd, parts, count, at, flags);
  if (written > 0) note(kWrite, path, "", (uint64_t)where, parts, (size_t)written);
  pthread_mutex_unlock(&mutex);
  return written;
}

ssize_t write(int fd, const void* from, size_t size) {
  char path[kPathMax];
  if (!known_fd(fd, path, 0)) return NEXT(write)(fd, from, size);
  struct iovec part = {(void*)(uintptr_t)from, size};
  return write_noted(fd, &part, 1, -1, 0);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  char path[kPathMax];
  if (!known_fd(fd, path, 0)) return NEXT(writev)(fd, parts, count);
  return write_noted(fd, parts, count, -1, 0);
}

#define HOOK_PWRITE(name)                                         \
  ssize_t name(int fd, const void* from, size_t size, off_t at) { \
    struct iovec part = {(void*)(uintptr_t)from, size};           \
    return write_noted(fd, &part, 1, at, 0);                      \
  }
HOOK_PWRITE(pwrite)
HOOK_PWRITE(pwrite64)

#define HOOK_PWRITEV(name)                                               \
  ssize_t name(int fd, const struct iovec* parts, int count, off_t at) { \
    return write_noted(fd, parts, count, at, 0);                         \
  }
HOOK_PWRITEV(pwritev)
HOOK_PWRITEV(pwritev64)

#define HOOK_FTRUNCATE(name)                                                       \
  int name(int fd, off_t size) {                                                   \
    char path[kPathMax];                                                           \
    pthread_mutex_lock(&mutex);                                                    \
    int known = known_fd(fd, path, 0);                                             \
    int outcome = NEXT(name)(fd, size);                                            \
    if (outcome == 0 && known) note(kTruncate, path, "", (uint64_t)size, NULL, 0); \
    pthread_mutex_unlock(&mutex);                                                  \
    return outcome;                                                                \
  }
HOOK_FTRUNCATE(ftruncate)
HOOK_FTRUNCATE(ftruncate64)

#define HOOK_ALLOCATE(name)                                                             \
  int name(int fd, off_t at, off_t size) {                                              \
    char path[kPathMax];                                                                \
    pthread_mutex_lock(&mutex);                                                         \
    int known = known_fd(fd, path, 0);                                                  \
    int outcome = NEXT(name)(fd, at, size);                                             \
    if (outcome == 0 && known) note(kExtend, path, "", (uint64_t)(at + size), NULL, 0); \
    pthread_mutex_unlock(&mutex);                                                       \
    return outcome;                                                                     \
  }
HOOK_ALLOCATE(posix_fallocate)
HOOK_ALLOCATE(posix_fallocate64)

/* Syncing: what was there when it began is on the disk when it is done. */

static uint64_t begin_sync(int fd, enum entry_kind kind) {
  char path[kPathMax];
  pthread_mutex_lock(&mutex);
  uint64_t number = 0;
  if (known_fd(fd, path, 1)) {
    number = ++syncs;
    note(kind, path, "", number, NULL, 0);
  }
  pthread_mutex_unlock(&mutex);
  return number;
}

static void end_sync(uint64_t number) {
  pthread_mutex_lock(&mutex);
  note(kSyncDone, "", "", number, NULL, 0);
  pthread_mutex_unlock(&mutex);
}

#define HOOK_SYNC(name, kind)                     \
  int name(int fd) {                              \
    uint64_t number = begin_sync(fd, kind);       \
    int outcome = NEXT(name)(fd);                 \
    if (outcome == 0 && number) end_sync(number); \
    return outcome;                               \
  }
HOOK_SYNC(fsync, kSyncBegins)
HOOK_SYNC(fdatasync, kSyncBegins)
HOOK_SYNC(syncfs, kSyncAllBegins)

/* What the LD_PRELOAD libraries share. */
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kPathMax = 4096 };

/* The function of this name in the libraries behind this one. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The path of an open file, or of one that `name` calls when the directory `fd` is open. */
static int fd_path(int fd, const char* name, char* path) {
  path[0] = '\0';
  if (name && (*name == '/' || fd == AT_FDCWD)) {
    snprintf(path, kPathMax, "%s", name);
    return 1;
  }
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long size = syscall(SYS_readlinkat, AT_FDCWD, link, path, kPathMax - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  if (name && *name) snprintf(path + size, (size_t)(kPathMax - size), "/%s", name);
  return 1;
}

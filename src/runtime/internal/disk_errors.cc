#include "runtime/internal/disk_errors.h"

#include <cerrno>
#include <utility>

#include "runtime/internal/errno_error.h"

namespace brook::runtime::internal {
namespace {

/// Not a full disk, a missing file or a limit of this process, which end by themselves. A disk that was
/// mounted read-only or whose owner changed is as good as gone.
bool is_failure(int error) {
  switch (error) {
    case EIO:
    case EROFS:
    case ENXIO:
    case ENODEV:
    case EUCLEAN:
    case ESTALE:
    case EACCES:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace

void DiskErrors::observe(DiskErrorObserver observer) {
  const std::scoped_lock lock(mutex_);
  observer_ = std::move(observer);
}

std::unexpected<Error> DiskErrors::fail(std::string_view what, const std::string& path, int error) {
  std::unexpected<Error> failure = storage_error(what, error);
  if (is_failure(error)) {
    const std::scoped_lock lock(mutex_);
    if (observer_) observer_(path, failure.error().context);
  }
  return failure;
}

}  // namespace brook::runtime::internal

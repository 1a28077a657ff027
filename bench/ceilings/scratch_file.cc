#include "ceilings/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "ceilings/measure.h"

namespace brook::ceilings {

ScratchFile::ScratchFile(const std::string& directory) {
  // not O_TMPFILE, which some file systems of containers lack
  std::string path = directory + "/ceilings-XXXXXX";
  descriptor_ = mkstemp(path.data());
  if (descriptor_ < 0) fail("a file in " + directory);
  unlink(path.c_str());
}

ScratchFile::~ScratchFile() { close(descriptor_); }

void ScratchFile::write_at(std::size_t offset, ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written <= 0) fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
}

void ScratchFile::forget() const {
  if (ftruncate(descriptor_, 0) != 0) fail("truncate");
}

}  // namespace brook::ceilings

#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"

namespace brook::ceilings {

/// A new file in a directory, without a name there: nothing is left of it, however the program ends.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& directory);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  void write_at(std::size_t offset, ByteView bytes) const;
  /// Empties it, so that the system does not write back what nobody will read.
  void forget() const;

 private:
  int descriptor_ = -1;
};

}  // namespace brook::ceilings

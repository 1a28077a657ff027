#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "base/bytes.h"

namespace brook::runtime {

/// Owned, uninitialised bytes that begin on a page: the kernel's copies into and out of malloc's page + 16
/// are up to twenty times slower on the machines we measured. Moves only. Runs on: any.
class AlignedBuffer {
 public:
  static constexpr std::size_t kPage = 4096;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) : data_(allocate(size)), size_(size) {}

  [[nodiscard]] std::byte* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] MutableBytes bytes() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete(bytes, std::align_val_t{kPage}); }
  };
  static std::byte* allocate(std::size_t size) {
    return size == 0 ? nullptr : static_cast<std::byte*>(::operator new(size, std::align_val_t{kPage}));
  }

  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace brook::runtime

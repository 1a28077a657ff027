#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "runtime/file.h"

namespace brook::runtime::testing {

/// Hands every call to `real`: a fake overrides what it is about.
class ForwardingFile : public File {
 public:
  explicit ForwardingFile(std::unique_ptr<File> real) : real_(std::move(real)) {}

  [[nodiscard]] const std::string& path() const override { return real_->path(); }
  [[nodiscard]] Result<std::uint64_t> size() const override { return real_->size(); }
  Result<void> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
    return real_->write_at(offset, parts);
  }
  Task<Result<std::size_t>> read_at(std::uint64_t offset, MutableBytes to) override {
    return real_->read_at(offset, to);
  }
  Result<std::size_t> read_at_blocking(std::uint64_t offset, MutableBytes to) override {
    return real_->read_at_blocking(offset, to);
  }
  Result<void> truncate(std::uint64_t size) override { return real_->truncate(size); }
  Task<Result<void>> allocate(std::uint64_t size) override { return real_->allocate(size); }
  Task<Result<void>> sync() override { return real_->sync(); }
  Result<void> sync_blocking() override { return real_->sync_blocking(); }

 protected:
  [[nodiscard]] File& real() { return *real_; }

 private:
  std::unique_ptr<File> real_;
};

}  // namespace brook::runtime::testing

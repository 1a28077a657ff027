#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "cluster/metadata_image.h"
#include "keeper/client.h"
#include "runtime/shard.h"

namespace brook::cluster {

/// Follows the keeper's tree through one persistent recursive watch and keeps the newest image.
///
/// Runs on: the client's shard. The image that it hands out may be read anywhere.
class Mirror {
 public:
  /// Called after the image was replaced, in order, on the mirror's shard. It must not wait; it may spawn.
  using Subscriber = std::function<void(const ImagePtr& image, const MetadataDelta& delta)>;

  /// Both outlive the mirror.
  Mirror(runtime::Shard& shard, keeper::Client& client);
  ~Mirror();
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  /// Watches, then reads the whole tree. Once, before anything else. KAFKA_STORAGE_ERROR where the tree can't
  /// be read.
  [[nodiscard]] Task<Result<void>> start();
  /// Never null.
  [[nodiscard]] const ImagePtr& image() const;
  /// For the mirror's life. Not called with the present image.
  void subscribe(Subscriber subscriber);
  /// Waits until every event that has arrived is in the image: after a change's reply, that change is. False
  /// where the mirror was closed or the session ended instead.
  [[nodiscard]] Task<bool> catch_up();
  /// No subscriber is called from here on. Before the client is closed.
  [[nodiscard]] Task<void> close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brook::cluster

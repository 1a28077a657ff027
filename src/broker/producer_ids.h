#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "cluster/controller.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::broker {

/// Producer ids, each given once: out of blocks that the controller allots. Runs on: any shard; its state is
/// the controller's shard's.
class ProducerIds {
 public:
  /// Both outlive it; `shard` is the controller's.
  ProducerIds(runtime::Shard& shard, cluster::Controller& controller)
      : shard_(shard), controller_(controller), allotted_(shard.clock()) {}

  /// One that nobody had before. REQUEST_TIMED_OUT, and what the controller says.
  [[nodiscard]] Task<Result<ProducerId>> next();

 private:
  [[nodiscard]] Task<Result<ProducerId>> draw();

  runtime::Shard& shard_;
  cluster::Controller& controller_;
  cluster::ProducerIdBlock block_;
  bool allotting_ = false;
  runtime::Signal allotted_;
};

}  // namespace brook::broker

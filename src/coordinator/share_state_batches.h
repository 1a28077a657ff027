#pragma once

#include <optional>
#include <vector>

#include "coordinator/share_state.h"

namespace brook::coordinator {

/// One list out of two, by the rule of Apache Kafka's persister: where batches overlap, an offset has been
/// delivered as often as the one says that has the higher count, and of equal counts its state is the higher.
/// So an old write that is replayed late undoes nothing. What is below `start` goes; neighbours that say the
/// same become one. Neither list needs to be in order.
[[nodiscard]] std::vector<ShareStateBatch> combine(const std::vector<ShareStateBatch>& so_far,
                                                   const std::vector<ShareStateBatch>& added,
                                                   std::optional<Offset> start);

/// Whether a batch says that its records are available and were never delivered. Nobody has to write that but
/// a leader whose log has lost these offsets: other records will be there.
[[nodiscard]] bool forgets(const ShareStateBatch& batch);

/// As combine(), but of what `added` forgets nothing is left, unless another batch of `added` has it too.
[[nodiscard]] std::vector<ShareStateBatch> overwrite(const std::vector<ShareStateBatch>& so_far,
                                                     const std::vector<ShareStateBatch>& added,
                                                     std::optional<Offset> start);

}  // namespace brook::coordinator

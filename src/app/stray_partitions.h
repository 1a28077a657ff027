#pragma once

#include "base/result.h"
#include "cluster/metadata_image.h"
#include "replica/log_directories.h"
#include "runtime/file.h"
#include "runtime/random.h"

namespace brook::app {

/// Renames the directories of partitions that the cluster does not have, or not on broker `self`, to
/// `<topic>-<partition>.<32 hex>-stray`, as Apache Kafka does: a topic that was deleted while the broker
/// could not follow, or one that was made anew with another id. Nothing is removed: a person may know better,
/// and the log says what was set aside. One whose topic cannot be read stays, and is not opened later. Before
/// a log is opened. KAFKA_STORAGE_ERROR. Runs on: startup.
[[nodiscard]] Result<void> set_strays_aside(runtime::FileSystem& files, replica::LogDirectories& directories,
                                            const cluster::MetadataImage& image, BrokerId self,
                                            runtime::Random& random);

}  // namespace brook::app

#include "broker/share/share_metrics.h"

#include <string>
#include <string_view>

namespace brook::broker {
namespace {

Counter& acknowledged(MetricRegistry& registry, std::string_view type) {
  return registry.counter("brook_share_acknowledged_records_total",
                          "Records of share groups that members acknowledged, by what they said.",
                          {{"type", std::string(type)}});
}

}  // namespace

ShareMetrics::ShareMetrics(MetricRegistry& registry)
    : acquired(registry.counter("brook_share_acquired_records_total",
                                "Records that were handed out to members of share groups.")),
      accepted(acknowledged(registry, "accept")),
      released(acknowledged(registry, "release")),
      rejected(acknowledged(registry, "reject")),
      renewed(acknowledged(registry, "renew")),
      given_back(registry.counter("brook_share_given_back_records_total",
                                  "Records that came back because their member's session ended.")),
      expired_locks(registry.counter("brook_share_expired_locks_total",
                                     "Records that came back because their lock ended.")),
      failed_writes(
          registry.counter("brook_share_failed_writes_total",
                           "Changes of share partitions that could not be written and were taken back.")),
      dead_letters(registry.counter("brook_share_dead_letters_total",
                                    "Records that were written to share groups' dead-letter topics.")),
      failed_dead_letters(
          registry.counter("brook_share_failed_dead_letter_writes_total",
                           "Writes to dead-letter topics that failed; they are tried again.")),
      expired_records(registry.counter("brook_share_expired_records_total",
                                       "Records of share groups whose time had passed before they were "
                                       "handed out.")),
      damaged_records(registry.counter("brook_share_damaged_records_total",
                                       "Records that share groups gave up because the log is damaged where "
                                       "they are; the log says which.")),
      bad_time_headers(registry.counter("brook_share_bad_time_headers_total",
                                        "Headers that should say when a record may be handed out and say no "
                                        "time; they are passed over.")),
      held(registry.gauge("brook_share_held_records", "Records of share groups that are out with members.")),
      partitions(registry.gauge("brook_share_partitions", "Share partitions that this broker leads now.")),
      sessions(registry.gauge("brook_share_sessions", "Share sessions of this broker.")) {}

}  // namespace brook::broker

#pragma once

#include <cstdint>

#include "base/result.h"

namespace brook::coordinator {

/// Whether one partition's coordinator answers, and what it says where it does not: from loading to serving
/// or failed, and closed from any.
class Availability {
 public:
  /// NONE where it serves; else what every request is refused with, at once.
  [[nodiscard]] ErrorCode refusal() const {
    switch (state_) {
      case State::kLoading:
        return ErrorCode::kCoordinatorLoadInProgress;
      case State::kServing:
        return stopping_ ? ErrorCode::kNotCoordinator : ErrorCode::kNone;
      case State::kFailed:
        return ErrorCode::kCoordinatorNotAvailable;
      case State::kClosed:
        return ErrorCode::kNotCoordinator;
    }
    return ErrorCode::kNotCoordinator;
  }
  [[nodiscard]] bool loading() const { return state_ == State::kLoading; }
  /// Loaded and not closed; it may be stopping.
  [[nodiscard]] bool active() const { return state_ == State::kServing; }
  [[nodiscard]] bool closed() const { return state_ == State::kClosed; }
  [[nodiscard]] bool stopping() const { return stopping_; }

  void loaded() { state_ = State::kServing; }
  void failed() { state_ = State::kFailed; }
  void close() { state_ = State::kClosed; }
  /// The broker stops: new requests are refused, what is under way goes on.
  void stop() { stopping_ = true; }

 private:
  enum class State : std::uint8_t { kLoading, kServing, kFailed, kClosed };
  State state_ = State::kLoading;
  bool stopping_ = false;
};

/// What a client is told of records that the log did not take; it finds the coordinator again and retries.
[[nodiscard]] constexpr ErrorCode told_of_append_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kNotEnoughReplicas:
    case ErrorCode::kNotEnoughReplicasAfterAppend:
    case ErrorCode::kRequestTimedOut:
      return ErrorCode::kCoordinatorNotAvailable;
    case ErrorCode::kNotLeaderOrFollower:
    case ErrorCode::kKafkaStorageError:
      return ErrorCode::kNotCoordinator;
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kRecordListTooLarge:
    case ErrorCode::kInvalidFetchSize:
      return ErrorCode::kUnknownServerError;
    default:
      return code;
  }
}

}  // namespace brook::coordinator

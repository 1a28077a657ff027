#pragma once

#include <boost/json/array.hpp>

#include "cli/console.h"
#include "client/group_admin.h"

namespace brook::cli {

/// The group's name and what it is, in one line.
void print_heading(const client::GroupDescription& group, Console& console);
/// A table of the members and what is assigned to them.
void print_members(const client::GroupDescription& group, Console& console);
[[nodiscard]] boost::json::array members_json(const client::GroupDescription& group);

/// NON_EMPTY_GROUP, in a sentence, where the group that was described has members. One that does not exist
/// has none; any other error is passed on.
[[nodiscard]] Result<void> check_unused(const client::GroupDescriptionOutcome& described);

}  // namespace brook::cli

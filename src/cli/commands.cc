#include "cli/commands.h"

#include "cli/bench/commands.h"
#include "cli/completion/completion.h"
#include "cli/config/config.h"
#include "cli/consume/consume.h"
#include "cli/group/group.h"
#include "cli/log_dump/log_dump.h"
#include "cli/log_verify/log_verify.h"
#include "cli/produce/produce.h"
#include "cli/share/share.h"
#include "cli/topic/topic.h"
#include "cli/transaction/transaction.h"
#include "cli/version.h"

namespace brook::cli {

CommandSet all_commands() {
  CommandSet set;
  set.groups.push_back({"topic", "Create, look at, change and delete topics"});
  set.commands.push_back(topic_list_command());
  set.commands.push_back(topic_describe_command());
  set.commands.push_back(topic_create_command());
  set.commands.push_back(topic_alter_command());
  set.commands.push_back(topic_delete_command());
  set.groups.push_back({"config", "Look at and change the settings of topics and brokers"});
  set.commands.push_back(config_list_command());
  set.commands.push_back(config_describe_command());
  set.commands.push_back(config_alter_command());
  set.commands.push_back(produce_command());
  set.commands.push_back(consume_command());
  set.groups.push_back({"group", "Look at groups of consumers, move their offsets, delete them"});
  set.commands.push_back(group_list_command());
  set.commands.push_back(group_describe_command());
  set.commands.push_back(group_reset_offsets_command());
  set.commands.push_back(group_delete_command());
  set.commands.push_back(group_redrive_command());
  set.groups.push_back({"share", "Look at share groups, move their offsets, delete them"});
  set.commands.push_back(share_list_command());
  set.commands.push_back(share_describe_command());
  set.commands.push_back(share_reset_offsets_command());
  set.commands.push_back(share_delete_offsets_command());
  set.commands.push_back(share_delete_command());
  set.groups.push_back({"transaction", "Look at transactions, and end those that hold readers back"});
  set.commands.push_back(transaction_list_command());
  set.commands.push_back(transaction_describe_command());
  set.commands.push_back(transaction_producers_command());
  set.commands.push_back(transaction_abort_command());
  set.groups.push_back({"log", "Look into the files of a data directory"});
  set.commands.push_back(log_dump_command());
  set.commands.push_back(log_verify_command());
  add_bench_commands(set);
  set.commands.push_back(completion_command());
  set.commands.push_back(version_command());
  return set;
}

}  // namespace brook::cli

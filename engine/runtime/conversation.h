// What was said, as plain data, and its file: JSON with a version, written whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/prompt_message.h"

namespace hearth {

/// A question and its answer. A turn without an answer is not part of a conversation.
struct Turn {
  std::string user;
  std::string answer;
  std::string finish = "end";  // finish_reason_name(): why the answer ended where it does
};

struct Conversation {
  std::string system = {};  // empty: none
  std::vector<Turn> turns = {};

  /// What a template is given: the system prompt, the turns from number `first_turn` on, and the
  /// question that is to be answered.
  std::vector<PromptMessage> messages(std::string_view question, std::size_t first_turn = 0) const;
};

/// Writes {"format": "hearth-conversation", "version": 1, "messages": [{"role", "content", …}, …]}.
/// Bytes that are not UTF-8 become U+FFFD. Throws Error; a file that was there is then unharmed.
void save_conversation(const Conversation& conversation, const std::filesystem::path& path);

/// Throws Error that says what is wrong with the file and where in it.
Conversation load_conversation(const std::filesystem::path& path);

}  // namespace hearth

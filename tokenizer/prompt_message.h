// One message of a conversation, as chat templates see it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace hearth {

struct PromptMessage {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
  nlohmann::ordered_json extra = nullptr;  // an object of more members: tool_calls, name …
};

}  // namespace hearth

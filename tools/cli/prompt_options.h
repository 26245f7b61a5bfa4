// The options that make a prompt of what the user says: system prompt and chat template.
#pragma once

#include <optional>
#include <string>

#include "engine/runtime/session.h"
#include "tokenizer/tokenizer.h"

namespace hearth::cli {

class Command;

struct ConversationOptions {
  std::string system;         // --system: text, or @FILE
  std::string system_file;    // --system-file
  std::string chat_template;  // --template
};

/// Adds --system, --system-file and --template.
void add_conversation_options(Command& command, ConversationOptions& options);

/// The system prompt; empty if there is none. Throws Error if a file cannot be read.
std::string system_prompt(const ConversationOptions& options);

/// Messages to prompts by the template that --template names, else by the model's. What the user
/// says is marked as_literal(). `tokenizer` outlives the renderer. Throws Error if there is no
/// template, or if it cannot be read or parsed.
PromptRenderer make_renderer(const ConversationOptions& options, const Tokenizer& tokenizer);

/// Whether there is a template to be had.
bool has_template(const ConversationOptions& options, const Vocab& vocab);

}  // namespace hearth::cli

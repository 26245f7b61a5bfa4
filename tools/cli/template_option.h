// The --template option that every command with a conversation has.
#pragma once

#include <string>

#include "tokenizer/chat_template.h"
#include "tokenizer/vocab.h"

namespace hearth::cli {

class Command;

/// Adds --template to `command`; `choice` stays empty when the user does not give it.
void add_template_option(Command& command, std::string& choice);

/// The template that was chosen: a built-in one's name, else a file; the model's own by default.
/// Throws Error.
ChatTemplate choose_template(const Vocab& vocab, const std::string& choice);

}  // namespace hearth::cli

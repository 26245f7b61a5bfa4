#include "tools/cli/prompt_options.h"

#include <span>
#include <utility>
#include <vector>

#include "tokenizer/chat_template.h"
#include "tools/cli/command_line.h"
#include "tools/cli/template_option.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {

void add_conversation_options(Command& command, ConversationOptions& options) {
  const Option text =
      command.option("--system", options.system, "system prompt, or @FILE").type("TEXT");
  command.option("--system-file", options.system_file, "read the system prompt from a file")
      .type("FILE")
      .excludes(text);
  add_template_option(command, options.chat_template);
}

std::string system_prompt(const ConversationOptions& options) {
  if (!options.system_file.empty()) return read_text({.argument = {}, .file = options.system_file});
  if (!options.system.starts_with('@')) return options.system;
  return read_text({.argument = {}, .file = options.system.substr(1)});
}

bool has_template(const ConversationOptions& options, const Vocab& vocab) {
  return !options.chat_template.empty() || !vocab.chat_template.empty();
}

PromptRenderer make_renderer(const ConversationOptions& options, const Tokenizer& tokenizer) {
  return [chosen = choose_template(tokenizer.vocab(), options.chat_template),
          &tokenizer](std::span<const PromptMessage> messages) {
    std::vector<PromptMessage> list(messages.begin(), messages.end());
    for (PromptMessage& message : list) {
      if (message.role == "user") message.content = tokenizer.as_literal(message.content);
    }
    return chosen.render(list);
  };
}

}  // namespace hearth::cli

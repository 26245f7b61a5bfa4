#include "tools/cli/template_option.h"

#include <filesystem>

#include "tools/cli/command_line.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {

void add_template_option(Command& command, std::string& choice) {
  std::string names;
  for (const auto name : ChatTemplate::builtin_names()) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  command
      .option("--template", choice,
              "Chat template: a file with Jinja, or a built-in one (" + names +
                  "); default: the model's own")
      .type("NAME|FILE");
}

ChatTemplate choose_template(const Vocab& vocab, const std::string& choice) {
  if (choice.empty()) return ChatTemplate::of_model(vocab);
  const bool is_file = ChatTemplate::builtin_source(choice).empty() &&
                       (choice == "-" || std::filesystem::exists(choice));
  if (!is_file) return ChatTemplate::builtin(choice, vocab);
  return ChatTemplate::from_source(read_text({.argument = {}, .file = choice}), choice, vocab);
}

}  // namespace hearth::cli

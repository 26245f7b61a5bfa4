// Text that a command takes from its argument, a file, or stdin: the exact bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::cli {

class Command;

struct TextInput {
  std::optional<std::string> argument;
  std::string file;
};

/// Adds the positional argument `name` and --file to `command`; one of them at most may be given.
void add_text_input(Command& command, TextInput& input, const std::string& name,
                    const std::string& description);

/// The argument, or the whole file, or all of stdin. Throws Error if the file cannot be read.
std::string read_text(const TextInput& input);

/// Throws Error that names `where` and the byte if `text` is not UTF-8.
void check_utf8(std::string_view text, const std::string& where);

}  // namespace hearth::cli

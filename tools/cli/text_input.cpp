#include "tools/cli/text_input.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/utf8.h"
#include "tools/cli/command_line.h"

namespace hearth::cli {
namespace {

std::string read_all(std::FILE* stream, const std::string& name) {
  std::string text;
  char buffer[1 << 16];
  while (true) {
    const std::size_t n = std::fread(buffer, 1, sizeof buffer, stream);
    text.append(buffer, n);
    if (n == sizeof buffer) continue;
    if (std::ferror(stream)) {
      throw Error({.where = name,
                   .what = std::string("cannot be read: ") + std::strerror(errno),
                   .expected = "a file of text",
                   .got = {}});
    }
    return text;
  }
}

}  // namespace

void add_text_input(Command& command, TextInput& input, const std::string& name,
                    const std::string& description) {
  const Option argument = command.option(name, input.argument, description);
  command.option("-f,--file", input.file, "Read it from a file (default: stdin)")
      .type("FILE")
      .excludes(argument);
}

std::string read_text(const TextInput& input) {
  if (input.argument) return *input.argument;
  if (input.file.empty() || input.file == "-") return read_all(stdin, "stdin");
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(input.file.c_str(), "rb"),
                                                         close);
  if (!file) {
    throw Error({.where = input.file,
                 .what = std::string("cannot be opened: ") + std::strerror(errno),
                 .expected = "a file that can be read",
                 .got = {}});
  }
  return read_all(file.get(), input.file);
}

void check_utf8(std::string_view text, const std::string& where) {
  const std::size_t bad = utf8::first_malformed(text);
  if (bad == text.size()) return;
  throw Error({.where = where,
               .what = "is not UTF-8 text",
               .expected = "UTF-8",
               .got = fmt::format("byte 0x{:02x} at offset {}",
                                  static_cast<unsigned char>(text[bad]), bad)});
}

}  // namespace hearth::cli

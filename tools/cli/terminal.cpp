#include "tools/cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "gguf/violation.h"

namespace hearth::cli {
namespace {

// Select Graphic Rendition parameters, ECMA-48 section 8.3.117.
constexpr const char* code(Style style) {
  return style == Style::dim ? "2" : "31";
}

bool shows_styles(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool unwanted = no_color && *no_color;
  return !unwanted && term && std::string_view(term) != "dumb" && is_terminal(stream);
}

}  // namespace

bool is_terminal(std::FILE* stream) {
  return isatty(fileno(stream)) == 1;
}

std::string styled(std::string_view text, Style style, std::FILE* stream) {
  if (!shows_styles(stream)) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code(style), text);
}

void write_output(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot write the output");
  }
}

std::string one_line(std::string_view text) {
  return gguf::printable(text, std::string_view::npos);
}

void notice(std::string_view text) {
  fmt::print(stderr, "{}\n", styled(text, Style::dim, stderr));
}

}  // namespace hearth::cli

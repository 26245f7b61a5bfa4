// What the program writes to: answers on stdout, everything said about them on stderr. In a pipe
// there are no colours.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace hearth::cli {

bool is_terminal(std::FILE* stream);

enum class Style { dim, error };

/// `text` in the style, if `stream` is a terminal that can show it (not TERM=dumb) and the user has
/// not set NO_COLOR (https://no-color.org).
std::string styled(std::string_view text, Style style, std::FILE* stream);

/// Writes and flushes stdout. Throws std::system_error, EPIPE when nobody reads any more: main ends
/// quietly then.
void write_output(std::string_view text);

/// `text` as it can be shown on one line: control characters, backslashes and bytes that are not
/// UTF-8 are escaped. Names of files may hold anything, and texts what moves a terminal's cursor.
std::string one_line(std::string_view text);

/// One line on stderr, dimmed on a terminal.
void notice(std::string_view text);

}  // namespace hearth::cli

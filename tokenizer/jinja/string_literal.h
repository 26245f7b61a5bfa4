// Escapes in quoted texts, as Python reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::jinja {

/// Appends the text that `content` (between its quotes) stands for. Returns what is wrong with it,
/// if anything is.
std::optional<std::string> decode_escapes(std::string_view content, std::string& out);

}  // namespace hearth::jinja

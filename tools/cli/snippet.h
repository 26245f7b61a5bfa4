// The part of a text that shows why it was found.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace hearth::cli {

/// About `most` bytes of `text` on one line, "…" where something is left out: its beginning, or
/// where `worth` is greatest, and as near to the middle as can be.
std::string snippet(std::string_view text, std::size_t most,
                    const std::function<double(std::string_view)>& worth);

}  // namespace hearth::cli

// Operations on text that filters and methods share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {

/// Counts the work of looking for `pattern` in `text`, as it is in the worst case: a pattern that
/// almost matches everywhere costs the product of both lengths. Ask before every search.
void search_work(Runtime& rt, std::string_view text, std::string_view pattern);

/// Every (or the first `most`, if not negative) `from` replaced. An empty `from` stands before
/// every character and at the end.
Value replaced(Runtime& rt, std::string_view text, std::string_view from, std::string_view to,
               std::int64_t most);

/// str.split and str.rsplit; without `separator`, at white space. `most` < 0: no limit.
Value split(Runtime& rt, std::string_view text, std::string_view separator, std::int64_t most);
Value split_space(Runtime& rt, std::string_view text, std::int64_t most);
Value rsplit(Runtime& rt, std::string_view text, std::string_view separator, std::int64_t most);
Value rsplit_space(Runtime& rt, std::string_view text, std::int64_t most);

/// str.splitlines: at every kind of line end that Python knows.
std::vector<std::string_view> lines(Runtime& rt, std::string_view text, bool keep_ends);

/// Markup.striptags: without comments and tags, white space collapsed.
std::string without_tags(std::string_view text);

/// urllib's quote: everything but letters, digits, _.-~ and `safe` as %XX.
std::string percent_encoded(std::string_view text, std::string_view safe, bool plus_for_space);

/// Runs of letters, digits and underscores.
std::int64_t count_words(std::string_view text);

}  // namespace hearth::jinja

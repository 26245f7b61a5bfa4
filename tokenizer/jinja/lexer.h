// Source text to tokens: delimiters, white-space control, names, numbers, strings, operators.
// Set as Hugging Face sets jinja2: trim_blocks and lstrip_blocks on, one newline at the end of the
// source dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {

enum class TokenType : std::uint8_t {
  data,            // text between tags
  variable_begin,  // {{
  variable_end,    // }}
  block_begin,     // {%
  block_end,       // %}
  name,
  string,
  integer,
  floating,
  op,
  end,
};

struct Token {
  TokenType type = TokenType::end;
  std::string_view text;  // data and strings: what they stand for; others: as written
  Position position;
  std::int64_t integer = 0;
  double floating = 0;
};

/// "end of print statement", "'+'", "name 'foo'" …, for messages.
std::string describe(const Token& token);

/// `source` with every kind of line end as "\n" and without one at the end.
std::string normalize(std::string_view source);

/// The tokens of a normalized source, an `end` token last. They are views into `source` and into
/// `strings`, where texts with escapes are put. Throws Error with the place of what is malformed.
std::vector<Token> tokenize(std::string_view source, std::string_view template_name,
                            std::deque<std::string>& strings);

}  // namespace hearth::jinja

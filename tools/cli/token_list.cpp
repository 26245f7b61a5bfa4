#include "tools/cli/token_list.h"

#include <sstream>

#include "base/error.h"

namespace hearth::cli {

std::vector<std::int32_t> parse_tokens(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::int32_t> tokens;
  for (std::int32_t token = 0; words >> token;) tokens.push_back(token);
  if (words.eof() && !tokens.empty()) return tokens;
  throw Error(Error::Parts{.where = "--tokens",
                           .what = "this is not a list of token ids",
                           .expected = "numbers separated by spaces, such as \"1 5 9\"",
                           .got = "\"" + text + "\""});
}

}  // namespace hearth::cli

#include "tokenizer/join_map.h"

#include "base/utf8.h"
#include "tokenizer/space_mark.h"

namespace hearth {

JoinMap JoinMap::of_characters(const std::vector<std::string>& tokens) {
  JoinMap map;
  map.keep_characters_whole();
  const auto edges = [](std::string_view character, std::size_t at) {
    const char edge = character[at];
    return std::array{edge, character == kSpaceMark ? ' ' : edge};
  };
  for (const std::string_view token : tokens) {
    std::string_view left;
    for (std::size_t i = 0; i < token.size(); i += left.size()) {
      const std::string_view right = token.substr(i, utf8::decode_one(token.substr(i)).length);
      if (i > 0) {
        for (const char a : edges(left, left.size() - 1)) {
          for (const char b : edges(right, 0)) map.allow(a, b);
        }
      }
      left = right;
    }
  }
  return map;
}

}  // namespace hearth

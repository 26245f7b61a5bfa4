#include "tokenizer/clean_up_spaces.h"

#include <cstddef>
#include <string_view>
#include <utility>

namespace hearth {
namespace {

constexpr std::string_view kHugLeft[] = {"?", "!", ".", ","};
constexpr std::string_view kContractions[] = {"'m", "'s", "'ve", "'re"};

template <std::size_t N>
void drop_space_before(std::string& text, const std::string_view (&followers)[N]) {
  const std::string_view in = text;
  std::string out;
  out.reserve(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    bool drop = false;
    if (in[i] == ' ') {
      for (const std::string_view follower : followers)
        drop = drop || in.substr(i + 1).starts_with(follower);
    }
    if (!drop) out += in[i];
  }
  text = std::move(out);
}

void join_lone_apostrophes(std::string& text) {
  constexpr std::string_view kLone = " ' ";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (std::string_view(text).substr(i).starts_with(kLone)) {
      out += '\'';
      i += kLone.size();
    } else {
      out += text[i++];
    }
  }
  text = std::move(out);
}

}  // namespace

std::string clean_up_spaces(std::string text) {
  drop_space_before(text, kHugLeft);
  join_lone_apostrophes(text);
  drop_space_before(text, kContractions);
  return text;
}

}  // namespace hearth

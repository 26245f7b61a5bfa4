#include "tokenizer/jinja/escape.h"

#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {
namespace {

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&#34;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

Value escaped(Runtime& rt, std::string_view text) {
  TextBuilder out(rt);
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view replacement = entity(text[i]);
    if (replacement.empty()) continue;
    out.append(text.substr(plain, i - plain));
    out.append(replacement);
    plain = i + 1;
  }
  out.append(text.substr(plain));
  return out.finish(true);
}

}  // namespace hearth::jinja

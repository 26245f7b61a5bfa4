#include "tokenizer/bert_normalizer.h"

#include <utf8proc.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/utf8.h"

namespace hearth {
namespace {

struct Range {
  char32_t first, last;
};

// White_Space of Unicode's PropList.
constexpr Range kWhiteSpace[] = {
    {0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

// CJK ideographs as BERT lists them. The sixth range ought to begin at 2B820; the tokenizers that
// models are trained with begin it at 2B920.
constexpr Range kChinese[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF},
                              {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF},
                              {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};

bool is_in(std::span<const Range> ranges, char32_t c) {
  for (const Range& range : ranges) {
    if (c >= range.first && c <= range.last) return true;
  }
  return false;
}

enum class Role { letter, space, dropped, word_of_its_own };

Role role_of(char32_t c, BertNormalizerOptions options) {
  if (is_in(kWhiteSpace, c)) return Role::space;
  if (c == 0 || c == 0xFFFD) return Role::dropped;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
      return Role::dropped;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return options.strip_accents ? Role::dropped : Role::letter;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return Role::word_of_its_own;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return c < 0x7F || is_in(kChinese, c) ? Role::word_of_its_own : Role::letter;
    default:
      return is_in(kChinese, c) ? Role::word_of_its_own : Role::letter;
  }
}

// The code points that stand for `c` before the accents are dropped.
std::size_t decompose(char32_t c, BertNormalizerOptions options, std::span<utf8proc_int32_t> out) {
  out[0] = static_cast<utf8proc_int32_t>(c);
  if (!options.strip_accents || c < 0x80) return 1;
  int boundary_class = 0;  // used by grapheme breaking only
  const utf8proc_ssize_t n = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(c), out.data(), static_cast<utf8proc_ssize_t>(out.size()),
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE), &boundary_class);
  if (n < 1 || n > static_cast<utf8proc_ssize_t>(out.size())) {
    out[0] = static_cast<utf8proc_int32_t>(c);
    return 1;
  }
  return options.first_of_decomposition ? 1 : static_cast<std::size_t>(n);
}

}  // namespace

std::vector<std::string> bert_words(std::string_view text, BertNormalizerOptions options) {
  std::vector<std::string> words;
  std::string word;
  const auto finish_word = [&words, &word] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    const utf8::Decoded decoded = utf8::decode_one(text.substr(i));
    i += decoded.length;
    std::array<utf8proc_int32_t, 8> parts;
    const std::size_t n = decompose(decoded.code_point, options, parts);
    for (std::size_t k = 0; k < n; ++k) {
      const auto c = static_cast<char32_t>(parts[k]);
      const Role role = role_of(c, options);
      if (role == Role::dropped) continue;
      if (role != Role::letter) finish_word();
      if (role == Role::space) continue;
      utf8::append(word, options.lowercase ? static_cast<char32_t>(utf8proc_tolower(parts[k])) : c);
      if (role == Role::word_of_its_own) finish_word();
    }
  }
  finish_word();
  return words;
}

}  // namespace hearth

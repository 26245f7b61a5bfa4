#include "engine/retrieval/words.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/utf8.h"

namespace hearth::retrieval {
namespace {

struct CodeRange {
  char32_t first, last;
};

/// Scripts whose words are not told apart by spaces alone, after compatible composition.
constexpr CodeRange kPairScripts[] = {
    {0x0E00, 0x0EFF},    // Thai, Lao
    {0x1000, 0x109F},    // Myanmar
    {0x1100, 0x11FF},    // Hangul letters
    {0x1780, 0x17FF},    // Khmer
    {0x3040, 0x30FF},    // Hiragana, Katakana
    {0x3130, 0x318F},    // Hangul letters that stand alone
    {0x31F0, 0x31FF},    // small Katakana
    {0x3400, 0x4DBF},    // Han
    {0x4E00, 0x9FFF},    // Han
    {0xAC00, 0xD7A3},    // Hangul syllables
    {0xF900, 0xFAFF},    // Han
    {0x20000, 0x3FFFF},  // Han
};

enum class Kind { none, word, pairs };

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') ? Kind::word : Kind::none;
  }
  for (const CodeRange& range : kPairScripts) {
    if (c >= range.first && c <= range.last) return Kind::pairs;
  }
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return Kind::word;
    default:
      return Kind::none;
  }
}

/// Compatible composition without case. Most texts need no table for that: tokens are counted again
/// and again while chunks are filled.
std::string folded(std::string_view text) {
  if (is_ascii(text)) {
    std::string lower(text);
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 'a' - 'A');
    }
    return lower;
  }
  const std::string whole = utf8::sanitize(text);
  utf8proc_uint8_t* out = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                                                      UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  const utf8proc_ssize_t n =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(whole.data()),
                   static_cast<utf8proc_ssize_t>(whole.size()), &out, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
  if (n < 0) return whole;
  return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(n)};
}

constexpr std::size_t kLongestWord = 128;  // bytes

/// Calls fn(kind, character) for each character.
template <class Fn>
void for_each_character(std::string_view text, const Fn& fn) {
  constexpr char32_t kReplacement = 0xFFFD;
  for (std::size_t i = 0; i < text.size();) {
    const utf8::Decoded c = utf8::decode_one(text.substr(i));
    fn(c.code_point == kReplacement ? Kind::none : kind_of(c.code_point), text.substr(i, c.length));
    i += c.length;
  }
}

/// How a word begins, with a mark that no word has. Empty if it is shorter, or begins with a digit:
/// numbers that begin alike have nothing in common.
std::string beginning_of(std::string_view word) {
  constexpr int kLetters = 4;
  constexpr char kMark = '~';
  std::size_t end = 0;
  for (int n = 0; n < kLetters; ++n) {
    if (end == word.size() || (word[end] >= '0' && word[end] <= '9')) return {};
    end += utf8::decode_one(word.substr(end)).length;
  }
  return std::string(word.substr(0, end)) + kMark;
}

/// Puts the characters of one kind that stand side by side into terms.
class Run {
 public:
  explicit Run(std::vector<std::string>& terms) : terms_(terms) {}

  void add(Kind kind, std::string_view character) {
    if (kind != kind_ || (kind == Kind::word && term_.size() + character.size() > kLongestWord)) {
      end();
    }
    kind_ = kind;
    if (kind == Kind::word) term_ += character;
    if (kind != Kind::pairs) return;
    if (!term_.empty()) terms_.push_back(term_ + std::string(character));
    terms_.emplace_back(character);
    term_ = character;
  }

  void end() {
    if (kind_ == Kind::word) {
      if (std::string beginning = beginning_of(term_); !beginning.empty()) {
        terms_.push_back(std::move(beginning));
      }
      terms_.push_back(std::move(term_));
    }
    term_.clear();
    kind_ = Kind::none;
  }

 private:
  std::vector<std::string>& terms_;
  std::string term_;  // of pairs: the last character
  Kind kind_ = Kind::none;
};

}  // namespace

std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  Run run(terms);
  for_each_character(folded(text),
                     [&](Kind kind, std::string_view character) { run.add(kind, character); });
  run.end();
  return terms;
}

int count_words(std::string_view text) {
  int n = 0;
  std::size_t in_word = 0;  // bytes
  for_each_character(folded(text), [&](Kind kind, std::string_view character) {
    const bool goes_on =
        kind == Kind::word && in_word > 0 && in_word + character.size() <= kLongestWord;
    if (kind != Kind::none && !goes_on) ++n;
    in_word = kind == Kind::word ? (goes_on ? in_word : 0) + character.size() : 0;
  });
  return n;
}

}  // namespace hearth::retrieval

#include "base/utf8.h"

#include "base/error.h"

namespace hearth::utf8 {
namespace {

// The lead byte decides the length and the range of the second byte (Unicode Standard, table 3-7);
// every further byte is 80..BF.
struct Lead {
  std::size_t length;  // 0: not a lead byte
  unsigned char second_min, second_max;
};

Lead classify(unsigned char c) {
  if (c < 0x80) return {1, 0, 0};
  if (c < 0xC2) return {0, 0, 0};
  if (c < 0xE0) return {2, 0x80, 0xBF};
  if (c == 0xE0) return {3, 0xA0, 0xBF};
  if (c == 0xED) return {3, 0x80, 0x9F};
  if (c < 0xF0) return {3, 0x80, 0xBF};
  if (c == 0xF0) return {4, 0x90, 0xBF};
  if (c < 0xF4) return {4, 0x80, 0xBF};
  if (c == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// How many bytes at the start of `text` form a well-formed prefix of the character its lead byte
// announces.
std::size_t well_formed_prefix(std::string_view text, const Lead& lead) {
  std::size_t n = 1;
  for (; n < lead.length && n < text.size(); ++n) {
    const unsigned char c = byte_at(text, n);
    const unsigned char low = n == 1 ? lead.second_min : 0x80;
    const unsigned char high = n == 1 ? lead.second_max : 0xBF;
    if (c < low || c > high) break;
  }
  return n;
}

}  // namespace

Decoded decode_one(std::string_view text) {
  HEARTH_CHECK(!text.empty());
  const unsigned char first = byte_at(text, 0);
  const Lead lead = classify(first);
  if (lead.length == 1) return {first, 1, true};
  if (lead.length == 0 || well_formed_prefix(text, lead) != lead.length) return {0xFFFD, 1, false};
  char32_t code_point = first & (0x7Fu >> lead.length);
  for (std::size_t i = 1; i < lead.length; ++i)
    code_point = (code_point << 6) | (byte_at(text, i) & 0x3Fu);
  return {code_point, lead.length, true};
}

std::size_t first_malformed(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (byte_at(text, i) < 0x80) {
      ++i;
      continue;
    }
    const Decoded d = decode_one(text.substr(i));
    if (!d.valid) return i;
    i += d.length;
  }
  return text.size();
}

void append(std::string& out, char32_t code_point) {
  HEARTH_CHECK(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF));
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

std::size_t incomplete_tail(std::string_view text) {
  const std::size_t most = text.size() < 3 ? text.size() : 3;
  for (std::size_t back = 1; back <= most; ++back) {
    const std::string_view tail = text.substr(text.size() - back);
    const Lead lead = classify(byte_at(tail, 0));
    if (lead.length == 0) continue;
    const bool unfinished = lead.length > back && well_formed_prefix(tail, lead) == back;
    return unfinished ? back : 0;
  }
  return 0;
}

std::string sanitize(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded d = decode_one(text);
    append(out, d.code_point);
    text.remove_prefix(d.length);
  }
  return out;
}

}  // namespace hearth::utf8

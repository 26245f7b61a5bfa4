#include "tokenizer/jinja/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/utf8.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/string_literal.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

constexpr std::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                           "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                           ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view name, std::deque<std::string>& strings)
      : source_(source), name_(name), strings_(strings) {}

  std::vector<Token> run() {
    while (pos_ < source_.size()) root();
    push(TokenType::end, {});
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(std::size_t where, std::string what) {
    fail_at(name_, position_of(where), std::move(what));
  }

  /// Offsets are asked for in rising order, or nearly so; going back starts over.
  Position position_of(std::size_t offset) {
    if (offset < counted_) {
      counted_ = 0;
      counted_position_ = {};
    }
    for (; counted_ < offset; ++counted_) {
      const auto c = static_cast<unsigned char>(source_[counted_]);
      if (c == '\n') {
        ++counted_position_.line;
        counted_position_.column = 1;
      } else if ((c & 0xC0) != 0x80) {
        ++counted_position_.column;
      }
    }
    return counted_position_;
  }

  void push(TokenType type, std::string_view text) {
    tokens_.push_back({.type = type, .text = text, .position = position_of(pos_)});
  }

  bool at(std::string_view expected) const { return source_.substr(pos_).starts_with(expected); }

  void skip_space() {
    while (pos_ < source_.size()) {
      const utf8::Decoded decoded = utf8::decode_one(source_.substr(pos_));
      if (!text::is_space(decoded.code_point)) return;
      pos_ += decoded.length;
    }
  }

  /// Text up to the next delimiter, then the tag that it opens.
  void root() {
    std::size_t open = pos_;
    while ((open = source_.find('{', open)) != std::string_view::npos) {
      const char next = open + 1 < source_.size() ? source_[open + 1] : '\0';
      if (next == '{' || next == '%' || next == '#') break;
      ++open;
    }
    if (open == std::string_view::npos) {
      push_data(source_.substr(pos_));
      pos_ = source_.size();
      return;
    }
    const std::string_view data = source_.substr(pos_, open - pos_);
    const char kind = source_[open + 1];
    const std::size_t start = open + 2;
    const char sign = start < source_.size() ? source_[start] : '\0';
    const bool has_sign = sign == '-' || sign == '+';
    push_data(before_tag(data, has_sign ? sign : '\0', kind));
    pos_ = open;
    if (kind == '#') return comment(start + has_sign);
    if (kind == '%' && raw(start + has_sign)) return;
    tag(kind == '{' ? TokenType::variable_begin : TokenType::block_begin, start + has_sign);
  }

  void push_data(std::string_view data) {
    if (!data.empty()) push(TokenType::data, data);
  }

  /// What a tag's sign and lstrip_blocks leave of the text before it.
  std::string_view before_tag(std::string_view data, char sign, char kind) const {
    if (sign == '-') return text::strip(data, text::Side::right);
    if (sign == '+' || kind == '{') return data;
    const std::size_t newline = data.rfind('\n');
    const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    if (line == 0 && !line_starting_) return data;
    return text::strip(data.substr(line), text::Side::both).empty() ? data.substr(0, line) : data;
  }

  /// Passes the end of a tag at pos_ (which is at its sign or its delimiter) with what it trims.
  /// False if there is none.
  bool close(std::string_view delimiter, bool trims_newline, bool takes_plus) {
    const char sign = source_[pos_];
    const bool minus = sign == '-';
    const bool plus = sign == '+' && takes_plus;
    if (!source_.substr(pos_ + (minus || plus)).starts_with(delimiter)) return false;
    pos_ += delimiter.size() + (minus || plus);
    if (minus) {
      skip_space();
    } else if (!plus && trims_newline && at("\n")) {
      ++pos_;
    }
    line_starting_ = source_[pos_ - 1] == '\n';
    return true;
  }

  void comment(std::size_t start) {
    if (start == source_.size()) {  // jinja2 ignores a comment that begins at the very end
      pos_ = start;
      return;
    }
    const std::size_t end = source_.find("#}", start);
    if (end == std::string_view::npos) fail(pos_, "this comment is not closed; it ends with '#}'");
    const char sign = end > start ? source_[end - 1] : '\0';
    pos_ = sign == '-' || sign == '+' ? end - 1 : end;
    close("#}", true, true);
  }

  /// {% raw %} … {% endraw %}, if that is what stands at pos_; `start` is behind the delimiter.
  bool raw(std::size_t start) {
    const std::size_t tag = pos_;
    pos_ = start;
    skip_space();
    const bool is_raw = at("raw");
    if (is_raw) {
      pos_ += 3;
      skip_space();
    }
    if (!is_raw || pos_ >= source_.size() || !close("%}", false, false)) {
      pos_ = tag;
      return false;
    }
    const std::size_t content = pos_;
    if (content == source_.size()) return true;  // as above
    for (std::size_t open = content; (open = source_.find("{%", open)) != std::string_view::npos;
         ++open) {
      pos_ = open + 2;
      const char sign = pos_ < source_.size() && (source_[pos_] == '-' || source_[pos_] == '+')
                            ? source_[pos_++]
                            : '\0';
      skip_space();
      if (!at("endraw")) continue;
      pos_ += 6;
      skip_space();
      const bool was_starting = line_starting_;
      if (pos_ >= source_.size() || !close("%}", true, true)) continue;
      const std::size_t after = pos_;
      const bool now_starting = line_starting_;
      line_starting_ = was_starting;
      pos_ = content;
      push_data(before_tag(source_.substr(content, open - content), sign, '%'));
      pos_ = after;
      line_starting_ = now_starting;
      return true;
    }
    pos_ = tag;
    fail(tag, "this raw block is not closed; it ends with '{% endraw %}'");
  }

  void tag(TokenType begin, std::size_t start) {
    push(begin, source_.substr(pos_, start - pos_));
    const bool is_block = begin == TokenType::block_begin;
    const std::size_t opened = pos_;
    pos_ = start;
    brackets_.clear();
    for (;;) {
      skip_space();
      if (pos_ >= source_.size()) {
        fail(opened, is_block ? "this tag is not closed; it ends with '%}'"
                              : "this expression is not closed; it ends with '}}'");
      }
      const std::size_t before = pos_;
      if (brackets_.empty() && close(is_block ? "%}" : "}}", is_block, is_block)) {
        const std::size_t after = pos_;
        pos_ = before;
        push(is_block ? TokenType::block_end : TokenType::variable_end, is_block ? "%}" : "}}");
        pos_ = after;
        return;
      }
      token();
    }
  }

  void token() {
    const char c = source_[pos_];
    if (is_digit(c)) return number();
    if (c == '"' || c == '\'') return string(c);
    if (identifier()) return;
    for (const std::string_view op : kOperators) {
      if (!at(op)) continue;
      balance(op[0]);
      push(TokenType::op, source_.substr(pos_, op.size()));
      pos_ += op.size();
      return;
    }
    const std::size_t bytes = utf8::decode_one(source_.substr(pos_)).length;
    fail(pos_, fmt::format("unexpected character {}", quoted(source_.substr(pos_, bytes))));
  }

  void balance(char c) {
    if (c == '(' || c == '[' || c == '{') return brackets_.push_back(c);
    if (c != ')' && c != ']' && c != '}') return;
    const char opening = c == ')' ? '(' : (c == ']' ? '[' : '{');
    if (brackets_.empty()) fail(pos_, fmt::format("unexpected '{}'; nothing is open", c));
    if (brackets_.back() != opening) {
      fail(pos_,
           fmt::format("unexpected '{}'; the last bracket opened is '{}'", c, brackets_.back()));
    }
    brackets_.pop_back();
  }

  bool identifier() {
    std::size_t end = pos_;
    while (end < source_.size()) {
      const utf8::Decoded decoded = utf8::decode_one(source_.substr(end));
      if (decoded.code_point != '_' && !text::is_alnum(decoded.code_point)) break;
      end += decoded.length;
    }
    if (end == pos_) return false;
    push(TokenType::name, source_.substr(pos_, end - pos_));
    pos_ = end;
    return true;
  }

  /// Digits from `at` on, single underscores between them; the offset behind.
  std::size_t digits(std::size_t at) const {
    while (at < source_.size() && is_digit(source_[at])) {
      ++at;
      if (at + 1 < source_.size() && source_[at] == '_' && is_digit(source_[at + 1])) ++at;
    }
    return at;
  }

  char peek(std::size_t at) const { return at < source_.size() ? source_[at] : '\0'; }

  void number() {
    const bool behind_dot = pos_ > 0 && source_[pos_ - 1] == '.';
    std::size_t end = digits(pos_);
    const std::size_t whole = end;
    if (!behind_dot) {
      if (peek(end) == '.' && is_digit(peek(end + 1))) end = digits(end + 1);
      if (peek(end) == 'e' || peek(end) == 'E') {
        const std::size_t sign = peek(end + 1) == '+' || peek(end + 1) == '-' ? 1 : 0;
        if (is_digit(peek(end + 1 + sign))) end = digits(end + 1 + sign);
      }
    }
    if (end > whole) {
      push(TokenType::floating, source_.substr(pos_, end - pos_));
      const std::string plain = without_underscores(tokens_.back().text);
      std::from_chars(plain.data(), plain.data() + plain.size(), tokens_.back().floating);
      pos_ = end;
    } else {
      integer();
    }
  }

  static std::string without_underscores(std::string_view text) {
    std::string plain(text);
    std::erase(plain, '_');
    return plain;
  }

  void integer() {
    int base = 10;
    std::size_t start = pos_;
    if (source_[pos_] == '0') {
      const char letter = static_cast<char>(peek(pos_ + 1) | 0x20);
      base = letter == 'x' ? 16 : (letter == 'o' ? 8 : (letter == 'b' ? 2 : 10));
    }
    if (base != 10) start += 2;
    std::size_t end = start;
    const auto is_base_digit = [&](char c) {
      int digit = 0;
      const auto [last, error] = std::from_chars(&c, &c + 1, digit, base);
      return error == std::errc() && last == &c + 1;
    };
    const bool zeros_only = base == 10 && source_[pos_] == '0';  // "012" is 0 and then 12
    for (;;) {
      const std::size_t digit = end + (peek(end) == '_' && (end > start || base != 10));
      if (!is_base_digit(peek(digit)) || (zeros_only && peek(digit) != '0')) break;
      end = digit + 1;
    }
    if (end == start) {  // "0x" without digits: the 0 stands alone
      base = 10;
      start = pos_;
      end = pos_ + 1;
    }
    const std::string plain = without_underscores(source_.substr(start, end - start));
    std::int64_t value = 0;
    if (std::from_chars(plain.data(), plain.data() + plain.size(), value, base).ec != std::errc()) {
      fail(pos_, "this integer is too large; integers have 64 bits here");
    }
    push(TokenType::integer, source_.substr(pos_, end - pos_));
    tokens_.back().integer = value;
    pos_ = end;
  }

  void string(char quote) {
    std::size_t end = pos_ + 1;
    bool has_escape = false;
    while (end < source_.size() && source_[end] != quote) {
      has_escape |= source_[end] == '\\';
      end += source_[end] == '\\' ? 2 : 1;
    }
    if (end >= source_.size()) fail(pos_, "this text is not closed by its quote");
    std::string_view content = source_.substr(pos_ + 1, end - pos_ - 1);
    if (has_escape) {
      std::string decoded;
      if (const auto problem = decode_escapes(content, decoded)) fail(pos_, *problem);
      content = strings_.emplace_back(std::move(decoded));
    }
    push(TokenType::string, content);
    pos_ = end + 1;
  }

  std::string_view source_;
  std::string_view name_;
  std::deque<std::string>& strings_;
  std::vector<Token> tokens_;
  std::vector<char> brackets_;
  std::size_t pos_ = 0;
  bool line_starting_ = true;
  std::size_t counted_ = 0;
  Position counted_position_;
};

}  // namespace

std::string describe(const Token& token) {
  switch (token.type) {
    case TokenType::data:
      return "text";
    case TokenType::variable_begin:
      return "'{{'";
    case TokenType::variable_end:
      return "the end of the expression";
    case TokenType::block_begin:
      return "'{%'";
    case TokenType::block_end:
      return "the end of the tag";
    case TokenType::end:
      return "the end of the template";
    case TokenType::string:
      return "the text " + quoted(token.text);
    default:
      return "'" + std::string(token.text) + "'";
  }
}

std::string normalize(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
    } else if (i + 1 == source.size() || source[i + 1] != '\n') {
      out += '\n';
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

std::vector<Token> tokenize(std::string_view source, std::string_view template_name,
                            std::deque<std::string>& strings) {
  return Lexer(source, template_name, strings).run();
}

}  // namespace hearth::jinja

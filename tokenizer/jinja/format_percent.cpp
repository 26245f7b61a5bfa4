// "pattern" % values.
#include <fmt/format.h>

#include <cmath>

#include "base/utf8.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/escape.h"
#include "tokenizer/jinja/format.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

class Percent {
 public:
  Percent(Runtime& rt, const Value& pattern, const Value& values)
      : rt_(rt), rest_(pattern.text()), markup_(pattern.is_markup()), values_(values), out_(rt) {
    if (values.is(Kind::tuple)) {
      positional_ = values.items();
    } else {
      positional_ = {&values_, 1};
    }
  }

  Value format() {
    while (!rest_.empty()) {
      const std::size_t percent = rest_.find('%');
      out_.append(rest_.substr(0, percent));
      if (percent == std::string_view::npos) break;
      rest_.remove_prefix(percent + 1);
      conversion();
    }
    // what has items by key might have been used with keys, so it is no argument too many
    const bool is_mapping = values_.is(Kind::dict) || values_.is(Kind::list) ||
                            values_.is_undefined() ||
                            (values_.is(Kind::object) && values_.object().has_items());
    if (used_ < positional_.size() && !is_mapping) {
      rt_.fail("not all arguments converted during string formatting");
    }
    return out_.finish(markup_);
  }

 private:
  char take() {
    if (rest_.empty()) rt_.fail("incomplete format");
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  Value next_value() {
    if (keyed_) return keyed_value_;
    if (used_ == positional_.size()) rt_.fail("not enough arguments for format string");
    return positional_[used_++];
  }

  void key() {
    keyed_ = false;
    if (rest_.empty() || rest_.front() != '(') return;
    const std::size_t end = rest_.find(')');
    if (end == std::string_view::npos) rt_.fail("incomplete format key");
    const std::string_view name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (!values_.is(Kind::dict)) rt_.fail("format requires a mapping");
    const Value* found = find(values_.dict(), name);
    if (found == nullptr) rt_.fail(fmt::format("no key {} to format", quoted(name)));
    keyed_value_ = *found;
    keyed_ = true;
  }

  std::int64_t number() {
    if (!rest_.empty() && rest_.front() == '*') {
      rest_.remove_prefix(1);
      const Value value = next_value();
      if (!value.is_integral()) rt_.fail("* wants int");
      return value.integer();
    }
    std::int64_t value = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value = value * 10 + (take() - '0');
      if (value > (1 << 30)) rt_.fail("width too big");
    }
    return value;
  }

  void conversion() {
    if (rest_.empty()) rt_.fail("incomplete format");
    if (rest_.front() == '%') {
      rest_.remove_prefix(1);
      return out_.append("%");
    }
    key();
    FormatSpec spec;
    bool zero = false;
    for (; !rest_.empty() &&
           std::string_view("-+ #0").find(rest_.front()) != std::string_view::npos;) {
      const char flag = take();
      if (flag == '-') spec.align = '<';
      if (flag == '+' || (flag == ' ' && spec.sign != '+')) spec.sign = flag;
      if (flag == '#') spec.alternate = true;
      if (flag == '0') zero = true;
    }
    spec.width = number();
    if (spec.width < 0) {
      spec.align = '<';
      spec.width = -spec.width;
    }
    if (!rest_.empty() && rest_.front() == '.') {
      rest_.remove_prefix(1);
      spec.precision = std::max<std::int64_t>(number(), 0);
    }
    while (!rest_.empty() && std::string_view("hlL").find(rest_.front()) != std::string_view::npos)
      take();
    const char type = take();
    if (zero && spec.align == 0 && type != 's' && type != 'r' && type != 'c') {
      spec.align = '=';
      spec.fill = "0";
    }
    if (type == '%') return out_.append("%");
    convert(type, spec, next_value());
  }

  void convert(char type, FormatSpec spec, const Value& value) {
    switch (type) {
      case 's':
      case 'r':
      case 'a':
        return text(shown(type, value), spec);
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        return integer(type, spec, value);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        if (!value.is_number()) {
          require_defined(rt_, value);
          rt_.fail(fmt::format("must be real number, not {}", type_name(value)));
        }
        spec.type = type == 'F' ? 'f' : type;
        return out_.append(format_float(rt_, value.floating(), spec));
      case 'c':
        return character(spec, value);
      default:
        rt_.fail(fmt::format("unsupported format character '{}'", type));
    }
  }

  /// The value as %s or %r show it; a pattern marked as safe escapes what is not.
  std::string shown(char type, const Value& value) {
    std::string text = type == 's' ? str(rt_, value) : repr(rt_, value);
    if (!markup_ || value.is_markup()) return text;
    return std::string(escaped(rt_, text).text());
  }

  void text(std::string_view text, const FormatSpec& spec) {
    if (spec.precision >= 0) {
      text = text.substr(0, text::offset(text, static_cast<std::size_t>(spec.precision)));
    }
    out_.append(pad(rt_, text, spec, '>'));
  }

  void integer(char type, FormatSpec spec, const Value& value) {
    require_defined(rt_, value);
    const bool decimal = type == 'd' || type == 'i' || type == 'u';
    if (!value.is_integral() && !(decimal && value.is(Kind::floating))) {
      rt_.fail(fmt::format("%{} format: {} is required, not {}", type,
                           decimal ? "a real number" : "an integer", type_name(value)));
    }
    if (value.is(Kind::floating) && !(std::fabs(value.floating()) < 9.2e18)) fail_too_large(rt_);
    spec.type = decimal ? 'd' : type;
    const std::int64_t number =
        value.is(Kind::floating) ? static_cast<std::int64_t>(value.floating()) : value.integer();
    out_.append(format_integer(rt_, number, spec));
  }

  void character(const FormatSpec& spec, const Value& value) {
    if (value.is_text() && text::length(value.text()) == 1) return text(value.text(), spec);
    if (!value.is_integral()) rt_.fail("%c requires int or char");
    const std::int64_t code = value.integer();
    if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      rt_.fail("%c arg not in range(0x110000)");
    }
    std::string bytes;
    utf8::append(bytes, static_cast<char32_t>(code));
    text(bytes, spec);
  }

  Runtime& rt_;
  std::string_view rest_;
  bool markup_;
  Value values_;
  std::span<const Value> positional_;
  std::size_t used_ = 0;
  bool keyed_ = false;
  Value keyed_value_;
  TextBuilder out_;
};

}  // namespace

Value percent_format(Runtime& rt, const Value& pattern, const Value& values) {
  return Percent(rt, pattern, values).format();
}

}  // namespace hearth::jinja

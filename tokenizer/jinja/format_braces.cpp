// "pattern".format(args): fields in braces.
#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/format.h"
#include "tokenizer/jinja/members.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_align(char c) {
  return c == '<' || c == '>' || c == '^' || c == '=';
}

std::int64_t take_number(Runtime& rt, std::string_view& text) {
  std::int64_t number = 0;
  while (!text.empty() && is_digit(text.front())) {
    number = number * 10 + (text.front() - '0');
    if (number > (1 << 30)) rt.fail("Too many decimal digits in format string");
    text.remove_prefix(1);
  }
  return number;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

FormatSpec parse_spec(Runtime& rt, std::string_view text) {
  FormatSpec spec;
  const std::size_t first = text.empty() ? 0 : text::offset(text, 1);
  if (first < text.size() && is_align(text[first])) {
    spec.fill = text.substr(0, first);
    spec.align = text[first];
    text.remove_prefix(first + 1);
  } else if (!text.empty() && is_align(text[0])) {
    spec.align = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty() && (text[0] == '+' || text[0] == '-' || text[0] == ' ')) {
    spec.sign = text[0];
    text.remove_prefix(1);
  }
  spec.alternate = take(text, '#');
  if (take(text, '0') && spec.align == 0) {
    spec.fill = "0";
    spec.align = '=';
  }
  spec.width = take_number(rt, text);
  if (take(text, ',')) spec.grouping = ',';
  if (take(text, '_')) spec.grouping = '_';
  if (take(text, '.')) {
    if (text.empty() || !is_digit(text[0])) rt.fail("Format specifier missing precision");
    spec.precision = take_number(rt, text);
  }
  if (text.size() > 1) rt.fail("Invalid format specifier");
  if (!text.empty()) spec.type = text[0];
  return spec;
}

[[noreturn]] void fail_code(Runtime& rt, char code, const Value& value) {
  rt.fail(fmt::format("Unknown format code '{}' for object of type '{}'", code, type_name(value)));
}

std::string format_value(Runtime& rt, const Value& value, std::string_view spec_text) {
  if (spec_text.empty()) return str(rt, value);
  FormatSpec spec = parse_spec(rt, spec_text);
  constexpr std::string_view kFloatTypes = "eEfFgG%";
  if (value.is_number()) {
    const bool as_float = value.is(Kind::floating) ||
                          (spec.type != 0 && kFloatTypes.find(spec.type) != std::string_view::npos);
    if (as_float) {
      if (spec.type != 0 && kFloatTypes.find(spec.type) == std::string_view::npos)
        fail_code(rt, spec.type, value);
      if (spec.type == 'F') spec.type = 'f';
      return format_float(rt, value.floating(), spec);
    }
    if (spec.type != 0 && std::string_view("bdoxX").find(spec.type) == std::string_view::npos)
      fail_code(rt, spec.type, value);
    if (spec.precision >= 0) rt.fail("Precision not allowed in integer format specifier");
    return format_integer(rt, value.integer(), spec);
  }
  if (!value.is_text()) {
    rt.fail(fmt::format("unsupported format string passed to {}.__format__", type_name(value)));
  }
  if (spec.type != 0 && spec.type != 's') fail_code(rt, spec.type, value);
  if (spec.sign != 0 || spec.alternate || spec.grouping != 0) {
    rt.fail("signs, '#', ',' and '_' are for numbers, not for texts, in a format specifier");
  }
  if (spec.align == '=') {
    // a bare leading zero only fills; '=' written out is for numbers
    if (spec_text.find('=') != std::string_view::npos)
      rt.fail("'=' alignment not allowed in string format specifier");
    spec.align = '<';
  }
  std::string_view text = value.text();
  if (spec.precision >= 0) {
    text = text.substr(0, text::offset(text, static_cast<std::size_t>(spec.precision)));
  }
  return pad(rt, text, spec, '<');
}

class Braces {
 public:
  Braces(Runtime& rt, const Args& args) : rt_(rt), args_(args) {}

  Value format(std::string_view pattern) {
    TextBuilder out(rt_);
    expand(pattern, out, 2);
    return out.finish();
  }

 private:
  void expand(std::string_view rest, TextBuilder& out, int depth) {
    if (depth == 0) rt_.fail("Max string recursion exceeded");
    while (!rest.empty()) {
      const std::size_t brace = rest.find_first_of("{}");
      out.append(rest.substr(0, brace));
      if (brace == std::string_view::npos) return;
      const char c = rest[brace];
      rest.remove_prefix(brace + 1);
      if (take(rest, c)) {
        out.append({&c, 1});
      } else if (c == '}') {
        rt_.fail("Single '}' encountered in format string");
      } else {
        const std::size_t end = field_end(rest);
        out.append(field(rest.substr(0, end), depth));
        rest.remove_prefix(end + 1);
      }
    }
  }

  std::size_t field_end(std::string_view text) {
    int open = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '{') ++open;
      if (text[i] == '}' && --open == 0) return i;
    }
    rt_.fail(text.empty() ? "Single '{' encountered in format string"
                          : "expected '}' before end of string");
  }

  std::string field(std::string_view text, int depth) {
    std::size_t name_end = 0;  // a '!' or ':' within [] belongs to the name
    for (bool in_index = false; name_end < text.size(); ++name_end) {
      if (text[name_end] == '[') in_index = true;
      if (text[name_end] == ']') in_index = false;
      if (!in_index && (text[name_end] == '!' || text[name_end] == ':')) break;
    }
    Value value = look_up(text.substr(0, name_end));
    text.remove_prefix(name_end);
    if (take(text, '!')) {
      if (text.empty()) rt_.fail("end of string while looking for conversion specifier");
      value = converted(text.front(), value);
      text.remove_prefix(1);
      if (!text.empty() && text.front() != ':') rt_.fail("expected ':' after conversion specifier");
    }
    take(text, ':');
    TextBuilder spec(rt_);
    expand(text, spec, depth - 1 + (text.find('{') == std::string_view::npos));
    return format_value(rt_, value, spec.finish().text());
  }

  Value converted(char conversion, const Value& value) {
    if (conversion == 's') return rt_.text(str(rt_, value));
    if (conversion == 'r' || conversion == 'a') return rt_.text(repr(rt_, value));
    rt_.fail(fmt::format("Unknown conversion specifier '{}'", conversion));
  }

  Value look_up(std::string_view name) {
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = argument(name.substr(0, end));
    name.remove_prefix(end);
    while (!name.empty()) {
      if (take(name, '.')) {
        const std::size_t stop = std::min(name.find_first_of(".["), name.size());
        value = get_member(rt_, value, rt_.text(name.substr(0, stop)));
        name.remove_prefix(stop);
      } else if (take(name, '[')) {
        const std::size_t stop = name.find(']');
        if (stop == std::string_view::npos) rt_.fail("Missing ']' in format string");
        value = get_subscript(rt_, value, index(name.substr(0, stop)));
        name.remove_prefix(stop + 1);
      } else {
        rt_.fail("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  Value index(std::string_view text) {
    const bool number = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
    return number ? Value::of_int(take_number(rt_, text)) : rt_.text(text);
  }

  Value argument(std::string_view name) {
    if (!name.empty() && !is_digit(name[0])) {
      const Value* found = args_.find(name);
      if (found == nullptr) rt_.fail(fmt::format("no argument {} to format", quoted(name)));
      return *found;
    }
    const bool automatic = name.empty();
    if (numbered_ != 0 && (numbered_ > 0) == automatic) {
      rt_.fail("cannot switch between automatic and manual field numbering");
    }
    numbered_ = automatic ? -1 : 1;
    const std::size_t i = automatic ? next_++ : static_cast<std::size_t>(take_number(rt_, name));
    if (i >= args_.positional.size()) {
      rt_.fail(fmt::format("Replacement index {} out of range for positional args tuple", i));
    }
    return args_.positional[i];
  }

  Runtime& rt_;
  const Args& args_;
  std::size_t next_ = 0;
  int numbered_ = 0;  // 1: fields have numbers, -1: they have none
};

}  // namespace

Value brace_format(Runtime& rt, std::string_view pattern, const Args& args) {
  return Braces(rt, args).format(pattern);
}

}  // namespace hearth::jinja

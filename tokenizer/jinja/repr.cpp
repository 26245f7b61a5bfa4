#include "tokenizer/jinja/repr.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

void append_repr(Runtime& rt, const Value& value, std::string& out);

void append_items(Runtime& rt, std::span<const Value> items, std::string& out) {
  bool first = true;
  for (const Value& item : items) {
    if (!first) out += ", ";
    first = false;
    append_repr(rt, item, out);
  }
}

void append_dict(Runtime& rt, const Dict& dict, std::string& out) {
  out += '{';
  bool first = true;
  for (const Entry& entry : dict.entries) {
    if (!first) out += ", ";
    first = false;
    append_repr(rt, entry.key, out);
    out += ": ";
    append_repr(rt, entry.value, out);
  }
  out += '}';
}

void append_repr(Runtime& rt, const Value& value, std::string& out) {
  const Runtime::Deeper deeper(rt);
  rt.step();
  rt.check_room(2 * out.size());
  switch (value.kind()) {
    case Kind::string:
      rt.check_room(out.size() + 10 * value.text().size());  // every byte may become \UXXXXXXXX
      rt.work(value.text().size());
      out += value.is_markup() ? "Markup(" + quoted(value.text()) + ")" : quoted(value.text());
      break;
    case Kind::list:
      out += '[';
      append_items(rt, value.items(), out);
      out += ']';
      break;
    case Kind::tuple:
      out += '(';
      append_items(rt, value.items(), out);
      out += value.items().size() == 1 ? ",)" : ")";
      break;
    case Kind::dict:
      append_dict(rt, value.dict(), out);
      break;
    case Kind::undefined:
      out += "Undefined";
      break;
    default:
      out += str(rt, value);
  }
}

}  // namespace

std::string_view str(Runtime& rt, const Value& value, std::string& scratch) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined:
      return {};
    case Kind::none:
      return "None";
    case Kind::boolean:
      return value.boolean() ? "True" : "False";
    case Kind::string:
      return value.text();
    case Kind::integer:
      scratch = std::to_string(value.integer());
      break;
    case Kind::floating:
      scratch = float_text(value.floating());
      break;
    case Kind::object:
      scratch = value.object().repr(rt);
      break;
    default:
      scratch = repr(rt, value);
  }
  return scratch;
}

std::string str(Runtime& rt, const Value& value) {
  std::string scratch;
  return std::string(str(rt, value, scratch));
}

std::string repr(Runtime& rt, const Value& value) {
  std::string out;
  append_repr(rt, value, out);
  return out;
}

std::string quoted(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  text::each(text, [&](char32_t c, std::string_view bytes) {
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (text::is_printable(c)) {
      out += bytes;
    } else if (c < 0x100) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else if (c < 0x10000) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += fmt::format("\\U{:08x}", static_cast<unsigned>(c));
    }
  });
  out += quote;
  return out;
}

std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  const std::string_view shortest(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const std::size_t e = shortest.find('e');
  int exponent = 0;
  std::from_chars(shortest.data() + e + 1 + (shortest[e + 1] == '+'), end.ptr, exponent);
  std::string digits;
  for (const char c : shortest.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  std::string out = shortest[0] == '-' ? "-" : "";
  const int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    out += digits.substr(0, 1);
    if (count > 1) out += "." + digits.substr(1);
    out += fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  } else if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else if (count <= exponent + 1) {
    out += digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    out += digits.substr(0, whole) + "." + digits.substr(whole);
  }
  return out;
}

std::string UndefinedInfo::describe(Runtime& rt) const {
  if (!message.empty()) return std::string(message);
  if (owner.empty()) return quoted(name.text()) + " is undefined";
  const std::string type(owner == "None" ? "None" : std::string(owner) + " object");
  if (!name.is_text()) return type + " has no element " + repr(rt, name);
  return quoted(type) + " has no attribute " + quoted(name.text());
}

}  // namespace hearth::jinja

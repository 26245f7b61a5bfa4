#include "tokenizer/jinja/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

Value convert(Runtime& rt, const nlohmann::ordered_json& json, int depth) {
  using Type = nlohmann::ordered_json::value_t;
  rt.step();
  if (depth > kMaxValueDepth) {
    rt.fail(fmt::format("the context is nested more than {} levels deep", kMaxValueDepth));
  }
  switch (json.type()) {
    case Type::null:
      return Value::none();
    case Type::boolean:
      return Value::of_bool(json.get<bool>());
    case Type::number_integer:
      return Value::of_int(json.get<std::int64_t>());
    case Type::number_unsigned: {
      const auto number = json.get<std::uint64_t>();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail_too_large(rt);
      }
      return Value::of_int(static_cast<std::int64_t>(number));
    }
    case Type::number_float:
      return Value::of_float(json.get<double>());
    case Type::string:
      return Value::of_text(json.get_ref<const std::string&>());
    case Type::array: {
      ListBuilder items(rt);
      for (const auto& item : json) items.append(convert(rt, item, depth + 1));
      return items.list();
    }
    case Type::object: {
      DictBuilder dict(rt);
      for (const auto& [key, item] : json.items()) {
        dict.set(Value::of_text(key), convert(rt, item, depth + 1));
      }
      return dict.finish();
    }
    default:
      rt.fail("the context holds binary data, which JSON has not");
  }
}

class Writer {
 public:
  Writer(Runtime& rt, const JsonStyle& style) : rt_(rt), style_(style), out_(rt) {}

  void write(const Value& value, int level) {
    const Runtime::Deeper deeper(rt_);
    switch (value.kind()) {
      case Kind::string:
        return write_text(value.text());
      case Kind::list:
      case Kind::tuple:
        return write_items(value.items(), level);
      case Kind::dict:
        return write_dict(value.dict(), level);
      case Kind::none:
      case Kind::boolean:
      case Kind::integer:
      case Kind::floating:
        return out_.append(scalar(value));
      default:
        rt_.fail(fmt::format("Object of type {} is not JSON serializable", type_name(value)));
    }
  }

  Value finish() { return out_.finish(); }

 private:
  static std::string scalar(const Value& value) {
    switch (value.kind()) {
      case Kind::none:
        return "null";
      case Kind::boolean:
        return value.boolean() ? "true" : "false";
      case Kind::integer:
        return std::to_string(value.integer());
      default:
        break;
    }
    const double number = value.floating();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return float_text(number);
  }

  void new_line(int level) {
    if (!style_.indent) return;
    out_.append("\n");
    for (int i = 0; i < level; ++i) out_.append(*style_.indent);
  }

  void write_items(std::span<const Value> items, int level) {
    out_.append("[");
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.append(style_.item_separator);
      new_line(level + 1);
      write(items[i], level + 1);
    }
    if (!items.empty()) new_line(level);
    out_.append("]");
  }

  void write_dict(const Dict& dict, int level) {
    std::vector<Entry> entries(dict.entries.begin(), dict.entries.end());
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const Entry& a, const Entry& b) { return less(rt_, a.key, b.key); });
    }
    out_.append("{");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out_.append(style_.item_separator);
      new_line(level + 1);
      write_key(entries[i].key);
      out_.append(style_.key_separator);
      write(entries[i].value, level + 1);
    }
    if (!entries.empty()) new_line(level);
    out_.append("}");
  }

  void write_key(const Value& key) {
    if (key.is_text()) return write_text(key.text());
    if (!key.is_none() && !key.is_number()) {
      rt_.fail(fmt::format("keys must be str, int, float, bool or None, not {}", type_name(key)));
    }
    write_text(scalar(key));
  }

  void write_text(std::string_view text) {
    out_.append("\"");
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size();) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || !style_.ensure_ascii)) {
        ++i;
        continue;
      }
      out_.append(text.substr(plain, i - plain));
      const utf8::Decoded decoded = utf8::decode_one(text.substr(i));
      write_escape(decoded.code_point);
      i += decoded.length;
      plain = i;
    }
    out_.append(text.substr(plain));
    out_.append("\"");
  }

  void write_escape(char32_t c) {
    constexpr std::string_view kShort = "\"\"\\\\\bb\ff\nn\rr\tt";  // character and its letter
    for (std::size_t i = 0; i < kShort.size(); i += 2) {
      if (static_cast<char32_t>(kShort[i]) != c) continue;
      const char escape[] = {'\\', kShort[i + 1]};
      return out_.append({escape, 2});
    }
    if (c >= 0x10000) {
      const unsigned bits = static_cast<unsigned>(c) - 0x10000;
      out_.append(
          fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (bits >> 10), 0xDC00 + (bits & 0x3FF)));
    } else {
      out_.append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    }
  }

  Runtime& rt_;
  const JsonStyle& style_;
  TextBuilder out_;
};

}  // namespace

Value from_json(Runtime& rt, const nlohmann::ordered_json& json) {
  return convert(rt, json, 0);
}

Value to_json(Runtime& rt, const Value& value, const JsonStyle& style) {
  Writer writer(rt, style);
  writer.write(value, 0);
  return writer.finish();
}

}  // namespace hearth::jinja

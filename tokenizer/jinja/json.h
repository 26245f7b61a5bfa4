// JSON at both borders: the context comes in, |tojson goes out.
#pragma once

#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// The value of a JSON document. Texts are shared with `json`, which must outlive the rendering.
Value from_json(Runtime& rt, const nlohmann::ordered_json& json);

/// Python's json.dumps.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string_view> indent;  // put once per level on a line of its own
  std::string_view item_separator = ", ";
  std::string_view key_separator = ": ";
};
Value to_json(Runtime& rt, const Value& value, const JsonStyle& style);

}  // namespace hearth::jinja

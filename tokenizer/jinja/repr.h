// How values print: Python's str() and repr().
#pragma once

#include <string>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// str(value): what {{ value }} prints. Texts are shared, not copied.
std::string_view str(Runtime& rt, const Value& value, std::string& scratch);
std::string str(Runtime& rt, const Value& value);

/// repr(value): texts in quotes.
std::string repr(Runtime& rt, const Value& value);

/// repr of a text: single quotes unless the text has some and no double ones.
std::string quoted(std::string_view text);

/// The shortest decimal that reads back as the same double, in Python's layout ("1e+16", "0.0001").
std::string float_text(double number);

}  // namespace hearth::jinja

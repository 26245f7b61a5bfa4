#include "engine/retrieval/record.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace hearth::retrieval {
namespace {

std::optional<double> number(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole ? std::optional(value) : std::nullopt;
}

bool is_less(std::string_view a, std::string_view b) {
  const std::optional<double> x = number(a), y = number(b);
  return x && y ? *x < *y : a < b;
}

}  // namespace

bool Condition::holds(const RecordView& record) const {
  const std::string_view found = record.fact(name);
  switch (is) {
    case Is::equal:
      return found == value;
    case Is::other:
      return found != value;
    case Is::prefix:
      return found.starts_with(value);
    case Is::less:
      return is_less(found, value);
    case Is::more:
      return is_less(value, found);
    case Is::in:
      return std::find(values.begin(), values.end(), found) != values.end();
  }
  return false;
}

}  // namespace hearth::retrieval

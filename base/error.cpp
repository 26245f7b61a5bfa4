#include "base/error.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace hearth {
namespace {

std::string one_line(const Error::Parts& parts) {
  std::string text;
  if (!parts.where.empty()) text += parts.where + ": ";
  text += parts.what;
  if (!parts.expected.empty()) text += "; expected " + parts.expected;
  if (!parts.got.empty()) text += (parts.expected.empty() ? "; got " : ", got ") + parts.got;
  return text;
}

}  // namespace

Error::Error(std::string what)
    : Error(Parts{.where = {}, .what = std::move(what), .expected = {}, .got = {}}) {}

Error::Error(Parts parts) : std::runtime_error(one_line(parts)), parts_(std::move(parts)) {}

namespace detail {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "hearth: internal error: %s does not hold at %s:%d\n", condition, file,
               line);
  std::abort();
}

}  // namespace detail
}  // namespace hearth

// Errors. What a user or a file can cause throws hearth::Error; a broken invariant of ours aborts.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace hearth {

/// A failure that a person can do something about: a bad file, a missing option, too little memory.
/// The parts are kept apart so that tools can print them as one line or as JSON.
class Error : public std::runtime_error {
 public:
  struct Parts {
    std::string where;     // the file, option or input concerned; may be empty
    std::string what;      // what is wrong, a clause without a full stop
    std::string expected;  // what would have been right; may be empty
    std::string got;       // what was found; may be empty
  };

  explicit Error(std::string what);
  explicit Error(Parts parts);

  const Parts& parts() const { return parts_; }

 private:
  Parts parts_;
};

/// Thrown when a progress callback asks for the work to stop.
class Cancelled : public Error {
 public:
  Cancelled() : Error("cancelled") {}
};

namespace detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace detail

}  // namespace hearth

/// Aborts with file and line if one of our own invariants does not hold. Never for what a file or a
/// user can cause.
#define HEARTH_CHECK(condition) \
  ((condition) ? (void)0 : ::hearth::detail::check_failed(#condition, __FILE__, __LINE__))

#include "tools/cli/clock_option.h"

#include <time.h>

#include "base/error.h"
#include "tools/cli/command_line.h"

namespace hearth::cli {
namespace {

constexpr const char* kFormats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};

}  // namespace

void add_clock_option(Command& command, std::string& now) {
  command
      .option("--now", now,
              "The time for templates that print a date: \"2024-07-26 09:30\", or \"local\"")
      .type("TIME");
}

std::tm clock_from(const std::string& now) {
  std::tm clock = {};
  if (now.empty() || now == "local") {
    const std::time_t seconds = std::time(nullptr);
    localtime_r(&seconds, &clock);
    return clock;
  }
  for (const char* format : kFormats) {
    clock = {};
    const char* end = strptime(now.c_str(), format, &clock);
    if (end != nullptr && *end == '\0') {
      clock.tm_isdst = -1;
      std::mktime(&clock);  // puts a 31st of April right, and fills in the time zone
      return clock;
    }
  }
  throw Error({.where = "--now",
               .what = "is not a time",
               .expected = "\"2024-07-26 09:30\", \"2024-07-26\" or \"local\"",
               .got = "\"" + now + "\""});
}

}  // namespace hearth::cli

// The --now option: what the time is for templates that print a date.
#pragma once

#include <ctime>
#include <string>

namespace hearth::cli {

class Command;

/// Adds --now to `command`; `now` stays empty when the user does not give it.
void add_clock_option(Command& command, std::string& now);

/// "2024-07-26", "2024-07-26 09:30" or with seconds; "local" and nothing are this moment, local
/// time. Throws Error on anything else.
std::tm clock_from(const std::string& now);

}  // namespace hearth::cli

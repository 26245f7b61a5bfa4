// A line on the terminal that shows how far long work has come, and Ctrl-C as the way to stop it.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/progress.h"
#include "tools/cli/interrupt.h"

namespace hearth::cli {

/// "label  [=========>          ]  47 %  0:12 left". The time left is shown once it can be known.
std::string progress_line(const std::string& label, std::uint64_t done, std::uint64_t total,
                          std::chrono::duration<double> elapsed);

/// Draws on stderr if that is a terminal, and nothing at all otherwise. Give progress() to the
/// work; the bar must outlive it, and the work must call it from one thread at a time. The line
/// vanishes with the bar. After Ctrl-C the work is asked to stop, which it does by throwing
/// Cancelled.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  /// The same on another stream, drawn whatever it is.
  ProgressBar(std::string label, std::FILE* out);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  ProgressFn progress();

  /// Wipes the line, so that something else can be printed. The next report draws it again.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool update(std::uint64_t done, std::uint64_t total);

  std::string label_;
  std::FILE* out_;  // nullptr: silent
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = {};
  bool visible_ = false;
  Interrupt interrupt_;
};

}  // namespace hearth::cli

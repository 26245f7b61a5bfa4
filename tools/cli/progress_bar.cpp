#include "tools/cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace hearth::cli {
namespace {

constexpr std::uint64_t kBarColumns = 30;
constexpr auto kRedrawEvery = std::chrono::milliseconds(100);
constexpr double kSecondsBeforeEstimate = 1.0;

std::string time_left(std::uint64_t done, std::uint64_t total,
                      std::chrono::duration<double> elapsed) {
  if (done == 0 || done >= total || elapsed.count() < kSecondsBeforeEstimate) return "";
  const double rest = static_cast<double>(total - done);
  const double seconds = elapsed.count() * rest / static_cast<double>(done);
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 359999.0));
  if (whole >= 3600) {
    return fmt::format("  {}:{:02}:{:02} left", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("  {}:{:02} left", whole / 60, whole % 60);
}

}  // namespace

std::string progress_line(const std::string& label, std::uint64_t done, std::uint64_t total,
                          std::chrono::duration<double> elapsed) {
  const double part =
      total == 0 ? 1.0 : static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  const auto filled = static_cast<std::size_t>(part * kBarColumns);
  std::string bar(filled, '=');
  if (filled < kBarColumns) bar += '>';
  bar.resize(kBarColumns, ' ');
  return fmt::format("{}  [{}] {:3} %{}", label, bar, static_cast<int>(part * 100),
                     time_left(done, total, elapsed));
}

ProgressBar::ProgressBar(std::string label)
    : ProgressBar(std::move(label), isatty(STDERR_FILENO) ? stderr : nullptr) {}

ProgressBar::ProgressBar(std::string label, std::FILE* out) : label_(std::move(label)), out_(out) {}

ProgressBar::~ProgressBar() {
  clear();
}

ProgressFn ProgressBar::progress() {
  return [this](std::uint64_t done, std::uint64_t total) { return update(done, total); };
}

void ProgressBar::clear() {
  if (!visible_) return;
  std::fputs("\r\x1b[K", out_);
  std::fflush(out_);
  visible_ = false;
}

bool ProgressBar::update(std::uint64_t done, std::uint64_t total) {
  const Clock::time_point now = Clock::now();
  if (out_ && (!visible_ || now - drawn_ >= kRedrawEvery)) {
    fmt::print(out_, "\r{}\x1b[K", progress_line(label_, done, total, now - start_));
    std::fflush(out_);
    visible_ = true;
    drawn_ = now;
  }
  return !interrupt_.requested();
}

}  // namespace hearth::cli

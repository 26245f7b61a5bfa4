#include "tools/cli/bench_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::cli {
namespace {

// In pixels.
constexpr double kWidth = 860;
constexpr double kHeight = 560;
constexpr double kLeft = 80;
constexpr double kTop = 60;
constexpr double kRight = kWidth - 40;
constexpr double kBottom = kHeight - 70;

/// Operations per byte that the picture shows.
constexpr double kLeastIntensity = 0.5;
constexpr double kMostIntensity = 4096;

constexpr std::string_view kInk = "#222222";
constexpr std::string_view kFaint = "#dddddd";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else {
      result += c;
    }
  }
  return result;
}

class Picture {
 public:
  /// `most` operations per second at the top.
  explicit Picture(double most)
      : most_(std::pow(10, std::ceil(std::log10(most)))), least_(most_ / 10000) {}

  double x(double intensity) const {
    const double t =
        std::log(std::clamp(intensity, kLeastIntensity, kMostIntensity) / kLeastIntensity) /
        std::log(kMostIntensity / kLeastIntensity);
    return kLeft + t * (kRight - kLeft);
  }
  double y(double rate) const {
    const double t = std::log(std::clamp(rate, least_, most_) / least_) / std::log(most_ / least_);
    return kBottom - t * (kBottom - kTop);
  }

  void line(double x1, double y1, double x2, double y2, std::string_view colour, double width) {
    body_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
        "stroke-width=\"{}\"/>\n",
        x1, y1, x2, y2, colour, width);
  }
  void text(double at_x, double at_y, std::string_view words, std::string_view anchor = "start") {
    body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", at_x,
                         at_y, anchor, escaped(words));
  }
  void dot(double at_x, double at_y, std::string_view colour) {
    body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/>\n", at_x, at_y,
                         colour);
  }

  void axes() {
    for (double rate = least_; rate <= most_ * 1.01; rate *= 10) {
      line(kLeft, y(rate), kRight, y(rate), kFaint, 1);
      text(kLeft - 8, y(rate) + 4, fmt::format("{:g}", rate / 1e9), "end");
    }
    for (double i = kLeastIntensity; i <= kMostIntensity * 1.01; i *= 4) {
      line(x(i), kTop, x(i), kBottom, kFaint, 1);
      text(x(i), kBottom + 18, fmt::format("{:g}", i), "middle");
    }
    text((kLeft + kRight) / 2, kBottom + 44, "operations per byte read", "middle");
    text(kLeft, kTop - 10, "billions of operations per second");
  }

  /// A flat ceiling, from where memory can feed it.
  void ceiling(double rate, double bytes_per_second, std::string_view name) {
    line(x(rate / bytes_per_second), y(rate), kRight, y(rate), kInk, 1.5);
    text(kRight, y(rate) - 5, fmt::format("{}: {:.0f}", name, rate / 1e9), "end");
  }

  void slope(double bytes_per_second, double highest) {
    const double start = std::max(kLeastIntensity, least_ / bytes_per_second);
    line(x(start), y(start * bytes_per_second), x(highest / bytes_per_second), y(highest), kInk,
         1.5);
    text(x(start) + 14, y(start * bytes_per_second) + 14,
         fmt::format("memory: {:.1f} GB/s", bytes_per_second / 1e9));
  }

  void point(const Measured& measured, const std::string& label, std::string_view colour) {
    const double at_x = x(measured.work.operations() / measured.work.bytes);
    const double at_y = y(measured.work.operations() * measured.work_per_second);
    dot(at_x, at_y, colour);
    const double best = std::max(measured.arithmetic_share, measured.memory_share);
    text(at_x + 9, free_line(at_x, at_y + 14),
         fmt::format("{}: {:.1f} tokens/s, {:.0f} %", label, measured.tokens_per_second,
                     100 * best));
  }

  std::string document(std::string_view title) const {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"{2}\">\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
        "<text x=\"{3}\" y=\"28\" font-size=\"16\">{4}</text>\n{5}</svg>\n",
        kWidth, kHeight, kInk, kLeft, escaped(title), body_);
  }

 private:
  /// At or below `at_y`, where no other label stands in the way.
  double free_line(double at_x, double at_y) {
    constexpr double kLine = 15;
    constexpr double kLabel = 260;  // pixels, about
    const auto is_taken = [&](const std::pair<double, double>& other) {
      return std::abs(other.first - at_x) < kLabel && std::abs(other.second - at_y) < kLine;
    };
    while (std::any_of(labels_.begin(), labels_.end(), is_taken)) at_y += 1;
    labels_.emplace_back(at_x, at_y);
    return at_y;
  }

  double most_;   // operations per second
  double least_;  // four decades below
  std::string body_;
  std::vector<std::pair<double, double>> labels_;  // of the dots, where they begin
};

}  // namespace

std::string bench_svg(const BenchSubject& subject, const BenchReport& report) {
  const Ceilings& most = report.ceilings;
  const double highest = std::max({most.int8, most.bf16, most.fma});
  Picture picture(highest);
  picture.axes();
  picture.slope(most.read, highest);
  picture.ceiling(most.int8, most.read, "int8");
  if (most.bf16 > most.fma * 1.1) picture.ceiling(most.bf16, most.read, "bf16");
  picture.ceiling(most.fma, most.read, "float");
  const auto label = [](std::string text, int depth) {
    return depth == 0 ? text : fmt::format("{} at {}", text, depth);
  };
  for (const BenchPoint& point : report.points) {
    if (point.prefill) {
      picture.point(*point.prefill, label(prefill_label(subject.options), point.depth), "#0072b2");
    }
    if (point.decode) {
      picture.point(*point.decode, label(decode_label(subject.options), point.depth), "#d55e00");
    }
  }
  return picture.document(
      fmt::format("{}, {} threads, {}", subject.model, subject.n_threads, subject.isa));
}

}  // namespace hearth::cli

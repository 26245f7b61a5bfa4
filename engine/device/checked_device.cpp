#include "engine/device/checked_device.h"

#include <limits>
#include <vector>

namespace hearth {
namespace {

constexpr std::size_t kTested = 0;
constexpr std::size_t kTruth = 1;

double nmse(const std::vector<float>& got, const std::vector<float>& expected) {
  double error = 0.0;
  double power = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - static_cast<double>(expected[i]);
    error += difference * difference;
    power += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  if (error == 0.0) return 0.0;
  return power == 0.0 ? std::numeric_limits<double>::infinity() : error / power;
}

bool is_product(std::string_view verb) {
  return verb == "matmul" || verb == "expert_matmul" || verb == "attention";
}

}  // namespace

CheckedDevice::CheckedDevice(Device& tested, Device& truth, Listener listener,
                             Tolerances tolerances)
    : MirrorDevice({&tested, &truth}), listener_(std::move(listener)), tolerances_(tolerances) {}

std::string CheckedDevice::name() const {
  return side(kTested).name() + " checked against " + side(kTruth).name();
}

void CheckedDevice::after(const OpRecord& record) {
  for (const Tensor& output : record.outputs) {
    const auto n = static_cast<std::size_t>(output.rows) * static_cast<std::size_t>(output.columns);
    std::vector<float> got(n);
    std::vector<float> expected(n);
    side(kTested).download(got, view(output, kTested));
    side(kTruth).download(expected, view(output, kTruth));
    side(kTruth).upload(view(output, kTruth), got);
    listener_({.verb = record.verb,
               .weight = record.weight,
               .output = std::string(output.name),
               .rows = output.rows,
               .columns = output.columns,
               .nmse = nmse(got, expected),
               .tolerance = is_product(record.verb) ? tolerances_.products : tolerances_.others});
  }
  side(kTested).begin(step());  // the downloads may have ended what was being recorded
  side(kTruth).begin(step());
}

}  // namespace hearth

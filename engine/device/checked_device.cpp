#include "engine/device/checked_device.h"

#include <algorithm>

#include "base/nmse.h"

namespace hearth {
namespace {

constexpr std::size_t kTested = 0;
constexpr std::size_t kTruth = 1;

bool is_product(std::string_view verb) {
  return verb == "matmul" || verb == "gated_matmul" || verb == "expert_matmul" ||
         verb == "attention";
}

}  // namespace

CheckedDevice::CheckedDevice(Device& tested, Device& truth, Listener listener,
                             Tolerances tolerances)
    : MirrorDevice({&tested, &truth}), listener_(std::move(listener)), tolerances_(tolerances) {}

std::string CheckedDevice::name() const {
  return side(kTested).name() + " checked against " + side(kTruth).name();
}

void CheckedDevice::before(const OpRecord& record) {
  const Tensor& sum = record.outputs.front();
  std::vector<float> values(static_cast<std::size_t>(sum.rows) *
                            static_cast<std::size_t>(sum.columns));
  side(kTested).download(values, view(sum, kTested));
  addends_.push_back(std::move(values));
  side(kTested).begin(step());
}

void CheckedDevice::after(const OpRecord& record) {
  for (const Tensor& output : record.outputs) {
    const auto n = static_cast<std::size_t>(output.rows) * static_cast<std::size_t>(output.columns);
    std::vector<float> got(n);
    std::vector<float> expected(n);
    side(kTested).download(got, view(output, kTested));
    side(kTruth).download(expected, view(output, kTruth));
    side(kTruth).upload(view(output, kTruth), got);
    if (record.is_sum) {
      const std::vector<float>& addend = addends_.front();
      std::transform(got.begin(), got.end(), addend.begin(), got.begin(), std::minus<>());
      std::transform(expected.begin(), expected.end(), addend.begin(), expected.begin(),
                     std::minus<>());
      addends_.pop_front();
    }
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

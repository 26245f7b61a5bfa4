// Runs every verb on a device under test and on another that is known to be right, and compares.
// After each verb the truth takes over the tested device's result, so that errors do not pile up
// and the first verb that is off is the one that is wrong. Of a product that is added to a sum the
// product is compared: beside a large sum its errors would not be seen.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/device/mirror_device.h"

namespace hearth {

/// How far one verb's output may be from the truth: sum((x - ref)^2) / sum(ref^2).
struct Tolerances {
  double products = 5e-4;  // matmul, expert_matmul and attention, which may quantise their inputs
  double others = 1e-7;
};

struct OpCheck {
  std::string_view verb = {};
  std::string weight = {};  // the matrix or vector it used; may be empty
  std::string output = {};
  int rows = 0;
  int columns = 0;
  double nmse = 0.0;
  double tolerance = 0.0;

  bool passed() const { return nmse <= tolerance; }  // false for NaN
};

class CheckedDevice final : public MirrorDevice {
 public:
  using Listener = std::function<void(const OpCheck&)>;

  /// `tested` is where results come from; both must outlive this device. `listener` hears of every
  /// output.
  CheckedDevice(Device& tested, Device& truth, Listener listener, Tolerances tolerances = {});

  std::string name() const override;

 private:
  void before(const OpRecord& record) override;
  void after(const OpRecord& record) override;

  /// What stood in sums before products of a call were added to them, in the products' order.
  std::deque<std::vector<float>> addends_;
  Listener listener_;
  Tolerances tolerances_;
};

}  // namespace hearth

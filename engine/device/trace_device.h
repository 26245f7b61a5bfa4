// Two devices that watch: one tells the values of every result, the other lists the verbs of a
// pass without running any.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "engine/device/mirror_device.h"

namespace hearth {

/// The result of one verb, in short.
struct TraceLine {
  std::string_view verb;
  std::string weight;
  std::string output;
  int rows;
  int columns;
  double sum;
  std::vector<float> first;  // at most four values
};

/// Runs on another device and tells a listener what each verb gave.
class TraceDevice final : public MirrorDevice {
 public:
  using Listener = std::function<void(const TraceLine&)>;

  TraceDevice(Device& device, Listener listener)
      : MirrorDevice({&device}), listener_(std::move(listener)) {}

  std::string name() const override { return side(0).name() + " traced"; }

 private:
  void after(const OpRecord& record) override;

  Listener listener_;
};

/// Computes nothing, remembers the verbs. Downloads give zeros.
class RecordingDevice final : public MirrorDevice {
 public:
  RecordingDevice() : MirrorDevice({}) {}

  std::string name() const override { return "recording"; }
  const std::vector<OpRecord>& records() const { return records_; }
  void clear() { records_.clear(); }

 private:
  void after(const OpRecord& record) override { records_.push_back(record); }

  std::vector<OpRecord> records_;
};

}  // namespace hearth

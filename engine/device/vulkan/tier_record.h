// What the self-tests of tiers found, kept between runs: a test is due once for a device, its
// driver and a set of shaders, not at every start.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/device/vulkan/kept_file.h"

namespace hearth::vulkan {

class TierRecord {
 public:
  explicit TierRecord(KeptFile file);

  /// What the self-test of this name found wrong, empty if nothing; none if it is not known.
  std::optional<std::string> fault_of(const std::string& test) const;

  /// Of one line each.
  void keep(const std::string& test, const std::string& fault);

 private:
  KeptFile file_;
  std::map<std::string, std::string> faults_;  // by test
};

}  // namespace hearth::vulkan

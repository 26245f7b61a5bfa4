#include "engine/device/vulkan/tier_record.h"

#include <fmt/format.h>

#include <sstream>

namespace hearth::vulkan {

// The file has a line per test: its name, a tab, its fault.
TierRecord::TierRecord(KeptFile file) : file_(std::move(file)) {
  std::istringstream lines(file_.read().value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) faults_[line.substr(0, tab)] = line.substr(tab + 1);
  }
}

std::optional<std::string> TierRecord::fault_of(const std::string& test) const {
  const auto found = faults_.find(test);
  if (found == faults_.end()) return {};
  return found->second;
}

void TierRecord::keep(const std::string& test, const std::string& fault) {
  faults_[test] = fault;
  std::string contents;
  for (const auto& [name, what] : faults_) contents += fmt::format("{}\t{}\n", name, what);
  file_.write(contents);
}

}  // namespace hearth::vulkan

// The program under Khronos' validation layer.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/run_hearth.h"

namespace hearth::test {

/// What a command begins with for the layer to watch it.
inline const std::vector<std::string> kValidated = {
    "/usr/bin/env", "VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation",
    "VK_LAYER_ENABLES=VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT",
    "VK_LOADER_DEBUG=layer"};

/// Why the layer did not watch what came out so; empty if it did.
inline std::string why_not_validated(const ProgramResult& result) {
  if (result.err.find("Insert instance layer \"VK_LAYER_KHRONOS_validation\"") == std::string::npos)
    return "the validation layer (Debian: vulkan-validationlayers) is not installed";
  const std::string all = result.out + result.err;
  if (all.find("Invalid capability operand: 6022") != std::string::npos)
    return "the validation layer is older than cooperative matrices";
  return {};
}

inline void expect_no_complaint(const ProgramResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  for (const char* complaint : {"VUID-", "Validation Error", "SYNC-HAZARD"}) {
    EXPECT_THAT(result.out, testing::Not(testing::HasSubstr(complaint)));
    EXPECT_THAT(result.err, testing::Not(testing::HasSubstr(complaint)));
  }
}

}  // namespace hearth::test

// Attention over stored keys and values, on the device and on the reference.
#pragma once

#include <ostream>
#include <vector>

#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {

struct AttentionCase {
  const char* name;
  int n_head;
  int n_head_kv;
  int dim_k;
  int dim_v;
  std::vector<StepRun> runs;
  int window = 0;
  float softcap = 0.0F;
  float max_alibi_bias = 0.0F;
  bool causal = true;
  int n_ctx = 300;
  float growth = 0.0F;  // of keys with their position
};

inline std::ostream& operator<<(std::ostream& out, const AttentionCase& c) {
  return out << c.name;
}

/// What the base shaders reach.
double usual_bar(QuantType type);

/// Every sequence of the case first gets its past, then the step itself is compared.
void expect_attention(VulkanDevice& device, const AttentionCase& c, QuantType type, double bar);
inline void expect_attention(VulkanDevice& device, const AttentionCase& c, QuantType type) {
  expect_attention(device, c, type, usual_bar(type));
}

}  // namespace hearth::test

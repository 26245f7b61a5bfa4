#include "tests/vulkan/attention_case.h"

#include <cmath>

namespace hearth::test {
namespace {

/// Q8_0 has blocks of 32.
int stored_dim(QuantType type, int dim) {
  return type == QuantType::Q8_0 ? (dim + 31) / 32 * 32 : dim;
}

/// Values that Q8_0 stores as they are: whole multiples of a power of two for every 32, the largest
/// of them 127 times that.
std::vector<float> exact_in_bytes(std::size_t n, std::mt19937& random) {
  std::vector<float> values(n);
  float scale = 0.0F;
  for (std::size_t i = 0; i < n; ++i) {
    const bool is_largest = i % 32 == 0;
    if (is_largest) scale = std::ldexp(1.0F, -7 - static_cast<int>(random() % 3));
    const int whole = is_largest ? 127 : static_cast<int>(random() % 255) - 127;
    values[i] = scale * static_cast<float>(whole);
  }
  return values;
}

}  // namespace

double usual_bar(QuantType type) {
  return type == QuantType::F16 ? 1e-6 : 1e-11;
}

void expect_attention(VulkanDevice& device, const AttentionCase& c, QuantType type, double bar) {
  std::mt19937 random(33);
  ReferenceDevice truth;
  const int dim_k = stored_dim(type, c.dim_k);
  const int dim_v = stored_dim(type, c.dim_v);
  const int k_columns = c.n_head_kv * dim_k;
  const int v_columns = c.n_head_kv * dim_v;
  KvShape shape = {.n_ctx = c.n_ctx,
                   .n_slots = 3,
                   .type = type,
                   .layers = {{}, {k_columns, v_columns, c.n_head_kv}}};
  const auto tested_cache = device.make_kv_cache(shape);
  const auto truth_cache = truth.make_kv_cache(shape);
  const auto store = [&](const Step& step) {
    Twin k(device, truth, step.n_tokens(), k_columns);
    Twin v(device, truth, step.n_tokens(), v_columns);
    for (Twin* x : {&k, &v}) {
      x->fill(random);
      if (type == QuantType::Q8_0) x->set(exact_in_bytes(x->truth_values().size(), random));
    }
    if (c.growth != 0.0F) {
      std::vector<float> keys = k.truth_values();
      auto key = keys.begin();
      for (const Step::Row& row : step.rows()) {
        const float factor = 1.0F + c.growth * static_cast<float>(row.position);
        for (int i = 0; i < k_columns; ++i) *key++ *= factor;
      }
      k.set(keys);
    }
    device.begin(step);
    truth.begin(step);
    device.kv_store(*tested_cache, 1, k.tested(), v.tested());
    truth.kv_store(*truth_cache, 1, k.truth(), v.truth());
  };
  for (const StepRun& run : c.runs) {
    const StepRun past = {run.slot, 0, run.n_past};
    if (run.n_past > 0) store(Step(std::span(&past, 1)));
  }
  const Step step{c.runs};
  Twin q(device, truth, step.n_tokens(), c.n_head * dim_k);
  const Twin out(device, truth, step.n_tokens(), c.n_head * dim_v);
  q.fill(random);
  store(step);
  const AttentionSpec spec = {.layer = 1,
                              .n_head = c.n_head,
                              .n_head_kv = c.n_head_kv,
                              .head_dim_k = dim_k,
                              .head_dim_v = dim_v,
                              .scale = 0.4F,
                              .softcap = c.softcap,
                              .window = c.window,
                              .causal = c.causal,
                              .max_alibi_bias = c.max_alibi_bias};
  device.attention(out.tested(), q.tested(), *tested_cache, spec);
  truth.attention(out.truth(), q.truth(), *truth_cache, spec);
  out.expect_equal(bar, std::string(quant_type_info(type).name));
}

}  // namespace hearth::test

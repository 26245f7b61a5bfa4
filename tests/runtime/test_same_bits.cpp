// Whole models on the CPU device: prefill equals decoding token by token, threads, neighbours and
// levels do not matter, bit for bit, for every quant type and for families of every kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/families.h"
#include "engine/runtime/context.h"
#include "tests/support/same_bits.h"
#include "tests/support/toy_model.h"

namespace hearth {
namespace {

using test::ToyOptions;

// One more than a strip holds, so that there is a full one and one with a single column.
const std::vector<std::int32_t> kTokens = {1, 5, 9, 33, 7, 33, 60, 2, 9, 11, 17, 3, 55};

struct Case {
  std::string name;
  std::string family;
  QuantType type;
  QuantType kv_type = QuantType::F16;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

/// Sizes that are whole blocks where they must be, and else no multiple of any vector.
ToyOptions sized(ToyOptions toy, QuantType type) {
  const auto block = static_cast<int>(quant_type_info(type).block_elements);
  toy.type = type;
  toy.n_layer = 2;
  toy.n_vocab = 61;
  switch (block) {
    case 1:  // heads of 10
      toy.n_embd = 30, toy.n_head = toy.n_head_kv = 3, toy.n_ff = 45;
      break;
    case 32:
      toy.n_embd = 96, toy.n_head = 3, toy.n_head_kv = 1, toy.n_ff = 160;
      break;
    default:
      toy.n_layer = 1;
      toy.n_embd = toy.n_ff = block, toy.n_head = 4, toy.n_head_kv = 2;
  }
  return toy;
}

ToyOptions toy_for(const Case& c) {
  const Family& family = *find_family(c.family);
  ToyOptions toy = sized(test::toy_of(family), c.type);
  toy.metadata = [&family, metadata = toy.metadata, n_ff = toy.n_ff](gguf::Writer& writer) {
    metadata(writer);
    if (family.name.find("moe") == std::string_view::npos) return;
    writer.set(std::string(family.name) + ".expert_feed_forward_length",
               static_cast<std::uint32_t>(n_ff));
  };
  return toy;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  constexpr QuantType kKvTypes[] = {QuantType::F32, QuantType::F16, QuantType::Q8_0};
  for (const QuantTypeInfo& info : all_quant_types()) {
    if (!info.is_weight) continue;
    const bool has_heads_of_32 = info.block_elements > 1;
    all.push_back({.name = "llama_" + std::string(info.name),
                   .family = "llama",
                   .type = info.type,
                   .kv_type = kKvTypes[all.size() % (has_heads_of_32 ? 3 : 2)]});
  }
  // Layer norms and learned positions, ALiBi, windows and softcaps, fused matrices, both branches
  // from one input, experts, an encoder.
  for (const char* family : {"gpt2", "bloom", "gemma2", "gemma3", "phi3", "qwen3", "command-r",
                             "qwen2moe", "qwen3moe", "bert"}) {
    for (const QuantType type : {QuantType::F16, QuantType::Q5_1, QuantType::Q4_K}) {
      std::string name = std::string(family) + "_" + std::string(quant_type_info(type).name);
      std::ranges::replace(name, '-', '_');
      all.push_back({.name = name, .family = family, .type = type});
    }
  }
  return all;
}

class SameBits : public testing::TestWithParam<Case> {};

TEST_P(SameBits, HoweverTheModelIsRun) {
  const std::vector<std::byte> bytes = test::toy_model(toy_for(GetParam()));
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, GetParam().name);
  const bool has_type = std::ranges::any_of(file.tensors(), [](const gguf::Tensor& tensor) {
    return tensor.type == GetParam().type && tensor.n_dims > 1;
  });
  ASSERT_TRUE(has_type);
  test::expect_same_bits(file, kTokens, GetParam().kv_type, test::Ways::all);
}

/// What the other tests compare is near what the reference device says, not merely the same.
TEST_P(SameBits, AreNearTheReference) {
  const std::vector<std::byte> bytes = test::toy_model(toy_for(GetParam()));
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, GetParam().name);
  const std::vector<float> got = test::cpu_outputs(file, kTokens, {.kv_type = GetParam().kv_type});
  const ModelBundle reference = load_model(file, {.device = LoadOptions::On::reference});
  std::vector<float> truth;
  if (reference.model->hparams.causal) {
    reference.context->eval_all(kTokens, [&](std::span<const float> logits) {
      truth.insert(truth.end(), logits.begin(), logits.end());
    });
  } else {
    truth = reference.context->embed(kTokens);
  }
  ASSERT_EQ(got.size(), truth.size());
  double error = 0.0;
  double power = 0.0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += std::pow(static_cast<double>(got[i]) - static_cast<double>(truth[i]), 2);
    power += std::pow(static_cast<double>(truth[i]), 2);
  }
  EXPECT_LT(error / power, 2e-3);
}

/// A number of the file that is none must not vanish where activations are quantised: it reaches
/// the logits, where the sampler says so.
TEST_P(SameBits, AFaultInTheFileReachesTheLogits) {
  std::vector<std::byte> bytes = test::toy_model(toy_for(GetParam()));
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, GetParam().name);
  const bool has_norm_before = file.find_tensor("blk.0.attn_norm.weight") != nullptr;
  const gguf::Tensor& norm = *file.find_tensor(has_norm_before ? "blk.0.attn_norm.weight"
                                                               : "blk.0.attn_output_norm.weight");
  const float no_number = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + (norm.data.data() - bytes.data()), &no_number, sizeof no_number);
  for (const kernels::IsaLevel* level : test::levels_here()) {
    const test::CpuRun run = {.level = level, .kv_type = GetParam().kv_type};
    for (const float logit : test::cpu_outputs(file, kTokens, run)) {
      ASSERT_TRUE(std::isnan(logit)) << level->name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Toys, SameBits, testing::ValuesIn(cases()),
                         [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace hearth

// The table of mixes against layouts that are worked out by hand. The published files are compared
// in tests/conformance/test_quantize.cpp.
#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <string>
#include <vector>

#include "engine/quantize/mix.h"

namespace hearth {
namespace {

using enum QuantType;

/// Tensors by name and shape, without data.
class Model {
 public:
  Model& add(std::string name, std::uint64_t columns, std::uint64_t rows,
             std::uint64_t matrices = 1, QuantType type = F32) {
    names_.push_back(std::move(name));
    gguf::Tensor tensor = {};
    tensor.name = names_.back();
    tensor.type = type;
    tensor.dims = {columns, rows, matrices, 1};
    tensor.n_dims = matrices > 1 ? 3 : rows > 1 ? 2 : 1;
    tensors_.push_back(tensor);
    return *this;
  }

  /// The matrices of a Llama layer.
  Model& add_layer(int layer, std::uint64_t n = 256) {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    for (const char* part :
         {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
      add(prefix + part + ".weight", n, n);
    }
    return add(prefix + "attn_norm.weight", n, 1);
  }

  PlannedType planned(const std::string& name, std::string_view mix) const {
    const std::vector<PlannedType> plan = plan_types(tensors_, shape, *find_mix(mix));
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (tensors_[i].name == name) return plan[i];
    }
    ADD_FAILURE() << "no tensor " << name;
    return {};
  }

  QuantType type(const std::string& name, std::string_view mix) const {
    return planned(name, mix).type;
  }

  MixModel shape;

 private:
  std::deque<std::string> names_;
  std::vector<gguf::Tensor> tensors_;
};

Model llama(int n_layer, std::uint64_t n_head = 32, std::uint64_t n_head_kv = 32) {
  Model model;
  model.shape = {static_cast<std::uint64_t>(n_layer), n_head, n_head_kv, 0};
  model.add("token_embd.weight", 256, 1000);
  // last layer first: the order in the file must not matter
  for (int layer = n_layer - 1; layer >= 0; --layer) model.add_layer(layer);
  model.add("output_norm.weight", 256, 1);
  model.add("output.weight", 256, 1000);
  return model;
}

std::set<int> layers_with(const Model& model, const std::string& part, std::string_view mix,
                          QuantType type) {
  std::set<int> layers;
  for (int layer = 0; layer < static_cast<int>(model.shape.n_layer); ++layer) {
    if (model.type("blk." + std::to_string(layer) + "." + part + ".weight", mix) == type) {
      layers.insert(layer);
    }
  }
  return layers;
}

TEST(Mix, NamesAreUniqueAndFoundInAnyCase) {
  std::set<std::string_view> names;
  for (const Mix& mix : all_mixes()) {
    EXPECT_TRUE(names.insert(mix.name).second) << mix.name;
    EXPECT_EQ(find_mix(mix.name), &mix);
  }
  EXPECT_EQ(find_mix("q4_k_m")->name, "Q4_K_M");
  EXPECT_EQ(find_mix("Q4_K"), nullptr);
  EXPECT_EQ(find_mix(""), nullptr);
}

/// 32 layers: the first and the last four, and of those between every third, from 6 on.
TEST(Mix, MediumMixesGiveMoreBitsToHalfOfTheLayers) {
  const Model model = llama(32);
  const std::set<int> expected = {0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31};
  for (const char* part : {"attn_v", "ffn_down"}) {
    EXPECT_EQ(layers_with(model, part, "Q4_K_M", Q6_K), expected);
    EXPECT_EQ(layers_with(model, part, "Q5_K_M", Q6_K), expected);
    EXPECT_EQ(layers_with(model, part, "Q4_K_M", Q4_K).size(), 16u);
    EXPECT_EQ(layers_with(model, part, "Q5_K_M", Q5_K).size(), 16u);
  }
  for (const char* part : {"attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"}) {
    EXPECT_EQ(layers_with(model, part, "Q4_K_M", Q4_K).size(), 32u);
  }
}

TEST(Mix, SmallAndLowMixes) {
  const Model model = llama(32);
  EXPECT_EQ(layers_with(model, "attn_v", "Q4_K_S", Q5_K), (std::set<int>{0, 1, 2, 3}));
  EXPECT_EQ(layers_with(model, "ffn_down", "Q4_K_S", Q5_K), (std::set<int>{0, 1, 2, 3}));
  EXPECT_EQ(layers_with(model, "attn_v", "Q3_K_M", Q5_K), (std::set<int>{0, 1}));
  EXPECT_EQ(layers_with(model, "attn_v", "Q3_K_M", Q4_K).size(), 30u);
  EXPECT_EQ(layers_with(model, "ffn_down", "Q3_K_M", Q5_K), (std::set<int>{0, 1}));
  EXPECT_EQ(layers_with(model, "attn_output", "Q3_K_M", Q4_K).size(), 32u);
  EXPECT_EQ(layers_with(model, "ffn_down", "Q3_K_L", Q5_K).size(), 32u);
  EXPECT_EQ(layers_with(model, "ffn_down", "Q2_K", Q3_K).size(), 32u);
  EXPECT_EQ(layers_with(model, "attn_v", "Q2_K", Q3_K).size(), 32u);
  EXPECT_EQ(layers_with(model, "attn_q", "Q2_K", Q2_K).size(), 32u);
  EXPECT_EQ(layers_with(model, "ffn_down", "IQ4_XS", Q5_K), (std::set<int>{0, 1, 2, 3}));
}

TEST(Mix, SmallValueMatricesGetMoreBits) {
  const Model shared = llama(4, 32, 8);
  EXPECT_EQ(shared.type("blk.2.attn_v.weight", "Q2_K"), Q4_K);
  EXPECT_EQ(shared.type("blk.2.attn_v.weight", "IQ4_XS"), Q5_K);
  const Model half = llama(4, 32, 16);
  EXPECT_EQ(half.type("blk.2.attn_v.weight", "Q2_K"), Q3_K);
  EXPECT_EQ(half.type("blk.2.attn_v.weight", "IQ4_XS"), IQ4_XS);
  const Model large = llama(80, 64, 8);
  EXPECT_EQ(large.type("blk.15.attn_v.weight", "Q4_K_M"), Q6_K);
  EXPECT_EQ(large.type("blk.16.attn_v.weight", "Q4_K_M"), Q5_K);
}

TEST(Mix, EightExperts) {
  Model model = llama(32, 32, 8);
  model.shape.n_expert = 8;
  model.add("blk.5.ffn_down_exps.weight", 256, 256, 8);
  model.add("blk.6.ffn_down_exps.weight", 256, 256, 8);
  model.add("blk.5.ffn_gate_inp.weight", 256, 8);
  EXPECT_EQ(model.type("blk.9.attn_v.weight", "Q4_K_M"), Q8_0);
  EXPECT_EQ(model.type("blk.9.attn_k.weight", "Q4_0"), Q8_0);
  EXPECT_EQ(model.type("blk.9.attn_output.weight", "Q4_K_M"), Q5_K);
  EXPECT_EQ(model.type("blk.9.attn_output.weight", "Q3_K_L"), Q3_K);
  EXPECT_EQ(model.type("blk.5.ffn_down_exps.weight", "Q4_K_M"), Q4_K);
  EXPECT_EQ(model.type("blk.6.ffn_down_exps.weight", "Q4_K_M"), Q6_K);
  EXPECT_EQ(model.planned("blk.5.ffn_gate_inp.weight", "Q4_K_M").reason, TypeReason::kKept);
}

TEST(Mix, ExpertsInFourBitFloats) {
  Model model = llama(2);
  model.add("blk.0.ffn_gate_exps.weight", 256, 256, 32);
  model.add("blk.0.ffn_down_exps.weight", 256, 256, 32);
  EXPECT_EQ(model.type("blk.0.ffn_gate_exps.weight", "MXFP4_MOE"), MXFP4);
  EXPECT_EQ(model.type("blk.0.ffn_down_exps.weight", "MXFP4_MOE"), MXFP4);
  EXPECT_EQ(model.type("blk.0.ffn_down.weight", "MXFP4_MOE"), Q8_0);
  EXPECT_EQ(model.type("blk.0.ffn_down.weight", "MXFP4"), MXFP4);
  EXPECT_EQ(model.type("token_embd.weight", "MXFP4"), Q8_0);
}

TEST(Mix, TheOutputGetsSixBitsAndTheEmbeddingToo_WhenItIsTheOutput) {
  const Model with_output = llama(2);
  EXPECT_EQ(with_output.type("output.weight", "Q4_K_M"), Q6_K);
  EXPECT_EQ(with_output.type("token_embd.weight", "Q4_K_M"), Q4_K);
  EXPECT_EQ(with_output.type("output.weight", "Q8_0"), Q8_0);
  Model tied;
  tied.shape = {1, 4, 4, 0};
  tied.add("token_embd.weight", 256, 1000).add_layer(0);
  EXPECT_EQ(tied.type("token_embd.weight", "Q4_K_M"), Q6_K);
  EXPECT_EQ(tied.type("token_embd.weight", "Q2_K"), Q6_K);
}

TEST(Mix, VectorsNormsAndSmallMatricesAreKept) {
  Model model = llama(2);
  model.add("blk.0.attn_q.bias", 256, 1)
      .add("blk.0.ssm_conv1d.weight", 4, 256)
      .add("position_embd.weight", 256, 128)
      .add("token_types.weight", 256, 2)
      .add("rope_freqs.weight", 64, 1)
      .add("blk.0.ids.weight", 256, 2, 1, I32)
      .add("blk.0.weird", 256, 256);
  for (const char* name : {"blk.0.attn_norm.weight", "output_norm.weight", "blk.0.attn_q.bias",
                           "blk.0.ssm_conv1d.weight", "position_embd.weight", "token_types.weight",
                           "rope_freqs.weight", "blk.0.ids.weight", "blk.0.weird"}) {
    const PlannedType planned = model.planned(name, "Q4_K_M");
    EXPECT_EQ(planned.reason, TypeReason::kKept) << name;
    EXPECT_TRUE(planned.type == F32 || planned.type == I32) << name;
  }
}

TEST(Mix, RowsThatDoNotFitFallBack) {
  struct Case {
    std::uint64_t columns;
    const char* mix;
    QuantType expected;
  };
  constexpr Case kCases[] = {
      {96, "Q2_K", Q4_0},   {96, "Q3_K_S", Q4_0},   {96, "Q4_K_S", Q5_0}, {96, "Q5_K_S", Q5_1},
      {96, "Q6_K", Q8_0},   {96, "IQ4_XS", IQ4_NL}, {96, "Q4_0", Q4_0},   {96, "Q8_0", Q8_0},
      {172, "Q4_K_M", F16}, {172, "Q4_0", F16},     {172, "MXFP4", F16},  {172, "F16", F16},
      {172, "BF16", BF16},
  };
  for (const Case& row : kCases) {
    Model model;
    model.shape = {64, 4, 4, 0};
    model.add("output.weight", row.columns, 64).add("blk.9.ffn_up.weight", row.columns, 64);
    const PlannedType planned = model.planned("blk.9.ffn_up.weight", row.mix);
    EXPECT_EQ(planned.type, row.expected) << row.columns << " " << row.mix;
    const bool is_base = row.expected == find_mix(row.mix)->base;
    EXPECT_EQ(planned.reason, is_base ? TypeReason::kMix : TypeReason::kFallback) << row.mix;
  }
}

/// Some models have attention in every fourth layer only: its own count matters, not the layer's.
TEST(Mix, AttentionIsCountedByItself) {
  Model model;
  model.shape = {32, 32, 32, 0};
  for (int layer = 3; layer < 32; layer += 4) {
    model.add("blk." + std::to_string(layer) + ".attn_v.weight", 256, 256);
  }
  // eight of them: 0, 7, and every third from 1 + 2
  const std::set<int> expected = {3, 3 + 4 * 3, 3 + 4 * 6, 3 + 4 * 7};
  for (int layer = 3; layer < 32; layer += 4) {
    const QuantType got = model.type("blk." + std::to_string(layer) + ".attn_v.weight", "Q4_K_M");
    EXPECT_EQ(got, expected.count(layer) ? Q6_K : Q4_K) << layer;
  }
}

}  // namespace
}  // namespace hearth

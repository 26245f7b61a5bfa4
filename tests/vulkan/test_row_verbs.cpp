// Norms, rope, gates and the other verbs that work row by row, and attention, against the
// reference.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "base/nmse.h"
#include "tests/vulkan/attention_case.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

constexpr double kClose = 1e-12;

class RowVerbs : public VulkanTest, public testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    skip_without(GetParam());
  }
  VulkanDevice& device() { return shared_test_device(GetParam()); }
  ReferenceDevice truth_;
  std::mt19937 random_{21};
};

const Variant kVariants[] = {8,
                             32,
                             64,
                             128,
                             256,
                             {8, "subgroup"},
                             {32, "subgroup"},
                             {64, "subgroup"},
                             {128, "subgroup"},
                             {256, "subgroup"}};

/// For attention in all its kinds; test_sweep.cpp has the other ones.
const Variant kFewVariants[] = {8, 64, {32, "subgroup"}, {256, "subgroup"}};

INSTANTIATE_TEST_SUITE_P(Variants, RowVerbs, testing::ValuesIn(kVariants),
                         [](const auto& each) { return each.param.name(); });

TEST_P(RowVerbs, RmsNormOfRowsAndOfHeads) {
  for (const auto& [columns, width, weights] :
       {std::tuple{300, 300, 1}, std::tuple{96, 32, 1}, std::tuple{96, 32, 3}}) {
    Twin x(device(), truth_, 3, columns);
    Twin weight(device(), truth_, weights, width);
    const Twin out(device(), truth_, 3, columns);
    x.fill(random_);
    weight.fill(random_, 0.5F, 1.5F);
    device().rms_norm(out.tested(), x.tested(), weight.tested(), 1e-5F);
    truth_.rms_norm(out.truth(), x.truth(), weight.truth(), 1e-5F);
    out.expect_equal(kClose, "to another place");
    device().rms_norm(x.tested(), x.tested(), weight.tested(), 1e-5F);
    truth_.rms_norm(x.truth(), x.truth(), weight.truth(), 1e-5F);
    x.expect_equal(kClose, "in place");
  }
}

TEST_P(RowVerbs, LayerNormWithAndWithoutBias) {
  Twin x(device(), truth_, 2, 130);
  Twin weight(device(), truth_, 1, 130);
  Twin bias(device(), truth_, 1, 130);
  const Twin out(device(), truth_, 2, 130);
  x.fill(random_, 2.0F, 3.0F);
  weight.fill(random_, 0.5F, 1.5F);
  bias.fill(random_);
  device().layer_norm(out.tested(), x.tested(), weight.tested(), bias.tested(), 1e-5F);
  truth_.layer_norm(out.truth(), x.truth(), weight.truth(), bias.truth(), 1e-5F);
  out.expect_equal(1e-10, "with bias");
  device().layer_norm(out.tested(), x.tested(), weight.tested(), {}, 1e-5F);
  truth_.layer_norm(out.truth(), x.truth(), weight.truth(), {}, 1e-5F);
  out.expect_equal(1e-10, "without");
}

/// Positions to the end of a long context: an angle in float would be off by a hundredth there.
TEST_P(RowVerbs, RopeAtAnyPosition) {
  for (const RopePairing pairing : {RopePairing::halves, RopePairing::interleaved}) {
    Rope rope{.pairing = pairing, .head_dim = 20, .magnitude = 1.25};
    for (int i = 0; i < 8; ++i) rope.frequencies.push_back(std::pow(10000.0, -2.0 * i / 16.0));
    rope.frequencies[1] = 7.5;  // more than a turn per position
    const StepRun runs[] = {{0, 131000, 3}, {2, 0, 2}, {1, 77, 1}};
    const Step step{runs};
    Twin x(device(), truth_, 6, 60);
    x.fill(random_);
    device().begin(step);
    truth_.begin(step);
    device().rope(x.tested(), rope);
    truth_.rope(x.truth(), rope);
    x.expect_equal(1e-12, "rope");
  }
}

TEST_P(RowVerbs, ElementByElement) {
  Twin a(device(), truth_, 5, 67);
  Twin b(device(), truth_, 5, 67);
  Twin row(device(), truth_, 1, 67);
  const Twin out(device(), truth_, 5, 67);
  a.fill(random_, -8.0F, 8.0F);
  b.fill(random_);
  row.fill(random_);
  device().add(out.tested(), a.tested(), b.tested());
  truth_.add(out.truth(), a.truth(), b.truth());
  out.expect_equal(0.0, "add");
  device().add(out.tested(), a.tested(), row.tested());
  truth_.add(out.truth(), a.truth(), row.truth());
  out.expect_equal(0.0, "add a row");
  device().scale(out.tested(), a.tested(), 0.3F);
  truth_.scale(out.truth(), a.truth(), 0.3F);
  out.expect_equal(0.0, "scale");
  device().softcap(out.tested(), a.tested(), 5.0F);
  truth_.softcap(out.truth(), a.truth(), 5.0F);
  out.expect_equal(kClose, "softcap");
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh, Activation::gelu_erf,
                                      Activation::relu, Activation::relu_squared}) {
    const std::string name = "activation " + std::to_string(static_cast<int>(activation));
    device().activation(out.tested(), a.tested(), activation);
    truth_.activation(out.truth(), a.truth(), activation);
    out.expect_equal(1e-11, name);
    device().glu(out.tested(), a.tested(), b.tested(), activation);
    truth_.glu(out.truth(), a.truth(), b.truth(), activation);
    out.expect_equal(1e-11, name + ", gated");
  }
}

TEST_P(RowVerbs, SmallNumbersAreNotLost) {
  Twin a(device(), truth_, 1, 64);
  const Twin out(device(), truth_, 1, 64);
  a.fill(random_, -1e-3F, 1e-3F);
  for (const Activation activation : {Activation::gelu_tanh, Activation::gelu_erf}) {
    device().activation(out.tested(), a.tested(), activation);
    truth_.activation(out.truth(), a.truth(), activation);
    out.expect_equal(1e-12, "gelu near 0");
  }
  device().softcap(out.tested(), a.tested(), 30.0F);
  truth_.softcap(out.truth(), a.truth(), 30.0F);
  out.expect_equal(1e-12, "softcap near 0");
}

TEST_P(RowVerbs, NotANumberStaysOne) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Twin a(device(), truth_, 1, 3);
  a.set({1.0F, nan, 2.0F});
  const Twin out(device(), truth_, 1, 3);
  device().softcap(out.tested(), a.tested(), 5.0F);
  EXPECT_TRUE(std::isnan(out.tested_values()[1]));
  device().activation(out.tested(), a.tested(), Activation::gelu_erf);
  EXPECT_TRUE(std::isnan(out.tested_values()[1]));
  Twin weight(device(), truth_, 1, 3);
  weight.set({1.0F, 1.0F, 1.0F});
  device().rms_norm(out.tested(), a.tested(), weight.tested(), 1e-5F);
  EXPECT_TRUE(std::isnan(out.tested_values()[0]));
}

TEST_P(RowVerbs, RouteChoosesAndWeighs) {
  for (const bool sigmoid : {false, true}) {
    for (const bool normalise : {false, true}) {
      Twin scores(device(), truth_, 3, 21);
      const Twin chosen(device(), truth_, 3, 4);
      const Twin weights(device(), truth_, 3, 4);
      scores.fill(random_, -3.0F, 3.0F);
      std::vector<float> values = scores.truth_values();
      values[5] = values[9] = values[17] = 4.0F;  // a tie: the lower number goes first
      scores.set(values);
      const RouteSpec spec = {
          .n_used = 4, .sigmoid = sigmoid, .normalise = normalise, .scale = 2.5F};
      device().route(chosen.tested(), weights.tested(), scores.tested(), spec);
      truth_.route(chosen.truth(), weights.truth(), scores.truth(), spec);
      chosen.expect_equal(0.0, "chosen");
      weights.expect_equal(1e-12, "weights");
    }
  }
}

TEST_P(RowVerbs, ExpertSum) {
  Twin x(device(), truth_, 6, 33);
  Twin weights(device(), truth_, 2, 3);
  const Twin out(device(), truth_, 2, 33);
  x.fill(random_);
  weights.fill(random_);
  device().expert_sum(out.tested(), x.tested(), weights.tested());
  truth_.expert_sum(out.truth(), x.truth(), weights.truth());
  out.expect_equal(kClose, "sum");
}

TEST_P(RowVerbs, ArgmaxTakesTheFirstOfEqual) {
  Twin x(device(), truth_, 3, 517);
  x.fill(random_);
  std::vector<float> values = x.truth_values();
  values[300] = values[100] = 9.0F;
  values[517 + 516] = 9.0F;
  values[2 * 517] = 9.0F;
  x.set(values);
  const std::vector<std::int32_t> expected = {100, 516, 0};
  EXPECT_EQ(device().argmax(x.tested()), expected);
  EXPECT_EQ(truth_.argmax(x.truth()), expected);
}

/// NaN, +infinity and a row of nothing but -infinity are no choice; -infinity beside numbers is one
/// that is not taken.
TEST_P(RowVerbs, ArgmaxOfNoNumbersIsNone) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Twin x(device(), truth_, 4, 300);
  std::vector<float> values(std::size_t{4} * 300, -kInfinity);
  values[7] = std::numeric_limits<float>::quiet_NaN();
  values[20] = 3.0F;
  values[300 + 299] = kInfinity;
  values[3 * 300 + 150] = -2.0F;
  x.set(values);
  const std::vector<std::int32_t> expected = {-1, -1, -1, 150};
  EXPECT_EQ(device().argmax(x.tested()), expected);
  EXPECT_EQ(truth_.argmax(x.truth()), expected);
}

TEST_P(RowVerbs, UploadsGoThroughASmallStagingBuffer) {
  const auto narrow = open_test_device({.staging_bytes = 1024, .always_stage = true});
  // A row at a time, several, and one in parts.
  for (const auto& [rows, columns] : {std::pair(9, 200), {50, 30}, {3, 700}}) {
    Twin x(*narrow, truth_, rows, columns);
    x.fill(random_);
    x.expect_equal(0.0, "there and back, rows of " + std::to_string(columns));
  }
}

class Attention : public VulkanTest,
                  public testing::WithParamInterface<std::tuple<AttentionCase, Variant>> {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    skip_without(std::get<1>(GetParam()));
  }
};

TEST_P(Attention, AgreesWithTheReference) {
  VulkanDevice& device = shared_test_device(std::get<1>(GetParam()));
  for (const QuantType type : {QuantType::F32, QuantType::F16, QuantType::Q8_0})
    expect_attention(device, std::get<0>(GetParam()), type);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Attention,
    testing::Combine(
        testing::Values(
            AttentionCase{"first_token", 4, 4, 16, 16, {{0, 0, 1}}},
            AttentionCase{"decode", 4, 2, 16, 16, {{1, 64, 1}}},
            AttentionCase{"decode_many_chunks", 2, 1, 16, 16, {{0, 291, 1}}},
            AttentionCase{"three_sequences", 4, 2, 16, 16, {{0, 6, 1}, {2, 130, 1}, {1, 0, 1}}},
            AttentionCase{"prompt", 4, 2, 16, 24, {{0, 0, 21}}},
            AttentionCase{"more_of_a_prompt", 4, 2, 16, 16, {{0, 65, 9}}},
            AttentionCase{"prompt_and_decode", 4, 2, 16, 16, {{0, 40, 1}, {1, 3, 11}, {2, 17, 2}}},
            AttentionCase{"window", 4, 2, 16, 16, {{0, 40, 1}, {1, 30, 12}}, 8},
            AttentionCase{"softcap", 4, 2, 16, 16, {{0, 40, 1}, {1, 0, 12}}, 0, 2.0F},
            AttentionCase{
                "alibi_of_six_heads", 6, 6, 16, 16, {{0, 40, 1}, {1, 0, 12}}, 0, 0.0F, 8.0F},
            AttentionCase{"both_ways", 4, 4, 16, 16, {{0, 0, 13}}, 0, 0.0F, 0.0F, false},
            AttentionCase{"heads_of_three_blocks", 4, 2, 96, 64, {{0, 40, 1}, {1, 70, 9}}},
            AttentionCase{"large_heads", 2, 1, 256, 256, {{0, 20, 1}, {1, 0, 9}}}),
        testing::ValuesIn(kFewVariants)),
    [](const auto& each) {
      return std::get<0>(each.param).name + ("_" + std::get<1>(each.param).name());
    });

/// Numbers that Q8_0 must round: an error of a 127th of the largest of 32, evenly spread, on values
/// evenly spread up to it is 1.5e-5 of their square.
TEST_P(RowVerbs, KeysAndValuesInBytesAreOffByTheirRounding) {
  const KvShape shape = {.n_ctx = 40, .type = QuantType::Q8_0, .layers = {{64, 64, 1}}};
  const auto tested_cache = device().make_kv_cache(shape);
  const auto truth_cache = truth_.make_kv_cache(shape);
  const Step step(0, 33);
  Twin k(device(), truth_, 33, 64);
  Twin v(device(), truth_, 33, 64);
  Twin q(device(), truth_, 33, 64);
  const Twin out(device(), truth_, 33, 64);
  for (Twin* x : {&k, &v, &q}) x->fill(random_);
  const std::vector<float> zeros(static_cast<std::size_t>(33) * 64);
  k.set(zeros);  // every key weighs the same; a block of zeros has no scale
  device().begin(step);
  truth_.begin(step);
  device().kv_store(*tested_cache, 0, k.tested(), v.tested());
  truth_.kv_store(*truth_cache, 0, k.truth(), v.truth());
  const AttentionSpec spec = {.n_head = 1, .n_head_kv = 1, .head_dim_k = 64, .head_dim_v = 64};
  device().attention(out.tested(), q.tested(), *tested_cache, spec);
  truth_.attention(out.truth(), q.truth(), *truth_cache, spec);
  out.expect_equal(4e-5, "rounded");
  EXPECT_GT(nmse(out.tested_values(), out.truth_values()), 1e-6) << "they are not bytes";
}

TEST_P(RowVerbs, HeadsThatAreNoWholeBlocksAreRefused) {
  const KvShape shape = {.n_ctx = 40, .type = QuantType::Q8_0, .layers = {{48, 48, 1}}};
  EXPECT_THROW(device().make_kv_cache(shape), Error);
  const KvShape odd = {.n_ctx = 40, .type = QuantType::F16, .layers = {{7, 8, 1}}};
  EXPECT_THROW(device().make_kv_cache(odd), Error);
}

}  // namespace
}  // namespace hearth::test

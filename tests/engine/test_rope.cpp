// Rotary frequencies: the scaling schemes against numbers worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/model/rope.h"

namespace hearth {
namespace {

Model model_with(HParams hparams, const char* family = "llama") {
  return {.family = find_family(family), .hparams = std::move(hparams), .placement = {}};
}

HParams four_pairs() {
  HParams hparams;
  hparams.head_dim_k = 12;
  hparams.n_rot = 8;
  hparams.rope_base = 10000.0;
  hparams.rope_original_ctx = 64;
  return hparams;
}

void expect_frequencies(const Rope& rope, const std::vector<double>& expected) {
  ASSERT_EQ(rope.frequencies.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(rope.frequencies[i], expected[i], 1e-14) << "pair " << i;
  }
}

TEST(Rope, FrequenciesFallByTheBase) {
  const Rope rope = global_rope(model_with(four_pairs()), 64);
  EXPECT_EQ(rope.head_dim, 12);
  EXPECT_EQ(rope.pairing, RopePairing::interleaved);
  EXPECT_EQ(rope.magnitude, 1.0);
  expect_frequencies(rope, {1.0, 0.1, 0.01, 0.001});
}

TEST(Rope, LinearScalingDividesAll) {
  HParams hparams = four_pairs();
  hparams.rope_scaling = RopeScaling::linear;
  hparams.rope_factor = 8.0;
  expect_frequencies(global_rope(model_with(hparams), 64), {0.125, 0.0125, 0.00125, 0.000125});
}

TEST(Rope, FactorsDivideEachPairAndTheContextChoosesThem) {
  Model model = model_with(four_pairs());
  model.weights.rope_factors_short = {1, 2, 1, 1};
  model.weights.rope_factors_long = {1, 1, 4, 5};
  model.hparams.rope_attn_factor = 1.19;
  expect_frequencies(global_rope(model, 64), {1.0, 0.05, 0.01, 0.001});
  expect_frequencies(global_rope(model, 65), {1.0, 0.1, 0.0025, 0.0002});
  EXPECT_EQ(global_rope(model, 65).magnitude, 1.19);
  model.weights.rope_freqs = {2, 1, 1, 1};
  expect_frequencies(global_rope(model, 65), {0.5, 0.1, 0.01, 0.001});
}

// A head of 128 trained on 4096 positions: 32 turns at pair 20.9, one turn at pair 45.03, so the
// mix goes from pair 20 to pair 46 and is half and half at pair 33.
TEST(Rope, YarnKeepsFastPairsStretchesSlowOnesAndMixesBetween) {
  HParams hparams;
  hparams.head_dim_k = hparams.n_rot = 128;
  hparams.rope_base = 10000.0;
  hparams.rope_scaling = RopeScaling::yarn;
  hparams.rope_factor = 16.0;
  hparams.rope_original_ctx = 4096;
  const Rope rope = global_rope(model_with(hparams), 65536);
  const auto ratio = [&](int i) {
    return rope.frequencies[static_cast<std::size_t>(i)] / std::pow(10000.0, -i / 64.0);
  };
  EXPECT_NEAR(ratio(0), 1.0, 1e-12);
  EXPECT_NEAR(ratio(20), 1.0, 1e-12);
  EXPECT_NEAR(ratio(33), 0.5 + 0.5 / 16, 1e-12);
  EXPECT_NEAR(ratio(46), 1.0 / 16, 1e-12);
  EXPECT_NEAR(ratio(63), 1.0 / 16, 1e-12);
  EXPECT_NEAR(rope.magnitude, 0.1 * std::log(16.0) + 1.0, 1e-12);
  hparams.yarn_log_multiplier = 1.0;  // the sharpening of all dimensions cancels that of the scores
  EXPECT_NEAR(global_rope(model_with(hparams), 65536).magnitude, 1.0, 1e-12);
}

TEST(Rope, WindowedLayersMayHaveABaseOfTheirOwn) {
  HParams hparams = four_pairs();
  hparams.rope_base = 1000000.0;
  hparams.rope_base_local = 10000.0;
  hparams.rope_scaling = RopeScaling::linear;
  hparams.rope_factor = 8.0;
  expect_frequencies(local_rope(model_with(hparams, "gemma3"), 64), {1.0, 0.1, 0.01, 0.001});
  const Rope shared = local_rope(model_with(hparams, "gemma2"), 64);
  EXPECT_NEAR(shared.frequencies[0], 0.125, 1e-14);
  EXPECT_EQ(shared.pairing, RopePairing::halves);
}

}  // namespace
}  // namespace hearth

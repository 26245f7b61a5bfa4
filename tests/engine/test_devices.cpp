// Each verb against values computed by hand or by a plain double formula written out here; the
// devices that wrap others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "engine/device/checked_device.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/reference_device.h"
#include "engine/device/trace_device.h"
#include "tests/support/device_rows.h"

namespace hearth {
namespace {

using test::Owned;
using test::Rows;
using test::Weights;

void expect_near(const Rows& got, const std::vector<std::vector<double>>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].size(), expected[i].size());
    for (std::size_t j = 0; j < got[i].size(); ++j) {
      EXPECT_NEAR(got[i][j], expected[i][j], 1e-6 * (1.0 + std::abs(expected[i][j])))
          << "row " << i << ", column " << j;
    }
  }
}

TEST(Verbs, GetRowsCopiesTheRowsAskedFor) {
  ReferenceDevice device;
  const Weights table(device, {{1, 2}, {3, 4}, {5, 6}});
  Owned out(device, 3, 2);
  device.get_rows(out.view, *table.matrix, std::vector<std::int32_t>{2, 0, 2});
  EXPECT_EQ(out.values(), (Rows{{5, 6}, {1, 2}, {5, 6}}));
}

TEST(Verbs, MatmulMultipliesByTheTranspose) {
  ReferenceDevice device;
  const Weights w(device, {{1, 2, 3}, {0, -1, 0.5F}});
  const Owned x(device, {{1, 1, 1}, {2, 0, -4}});
  Owned out(device, 2, 2);
  device.matmul(out.view, *w.matrix, x.view);
  EXPECT_EQ(out.values(), (Rows{{6, -0.5F}, {-10, -2}}));
}

TEST(Verbs, MatmulReadsAndWritesPartsOfRows) {
  ReferenceDevice device;
  const Weights w(device, {{1, 10}});
  const Owned x(device, {{9, 1, 2, 9}, {9, 3, 4, 9}});
  Owned out(device, {{7, 7, 7}, {7, 7, 7}});
  device.matmul(out.view.column_range(1, 1, "part"), *w.matrix, x.view.column_range(1, 2, "part"));
  EXPECT_EQ(out.values(), (Rows{{7, 21, 7}, {7, 43, 7}}));
}

TEST(Verbs, RmsNormDividesEachGroupByItsRootMeanSquare) {
  ReferenceDevice device;
  const Owned x(device, {{3, 4, 0, 2}});
  const Owned weight(device, {{1, 2}});
  Owned out(device, 1, 4);
  device.rms_norm(out.view, x.view, weight.view, 0.5F);
  const double first = std::sqrt(25.0 / 2 + 0.5);
  const double second = std::sqrt(4.0 / 2 + 0.5);
  expect_near(out.values(), {{3 / first, 8 / first, 0, 4 / second}});
  const Owned each(device, {{1, 2}, {3, 5}});  // a weight for every group
  device.rms_norm(out.view, x.view, each.view, 0.5F);
  expect_near(out.values(), {{3 / first, 8 / first, 0, 10 / second}});
}

TEST(Verbs, LayerNormTakesTheMeanAwayFirst) {
  ReferenceDevice device;
  const Owned x(device, {{1, 2, 3, 6}});
  const Owned weight(device, {{1, 1, 2, 1}});
  const Owned bias(device, {{0, 0, 10, 0}});
  Owned out(device, 1, 4);
  device.layer_norm(out.view, x.view, weight.view, bias.view, 0.25F);
  const double deviation = std::sqrt((4.0 + 1 + 0 + 9) / 4 + 0.25);
  expect_near(out.values(), {{-2 / deviation, -1 / deviation, 10, 3 / deviation}});
  device.layer_norm(out.view, x.view, weight.view, Tensor{}, 0.25F);
  expect_near(out.values(), {{-2 / deviation, -1 / deviation, 0, 3 / deviation}});
}

TEST(Verbs, RopeRotatesPairsByTheirPosition) {
  ReferenceDevice device;
  const double quarter = std::numbers::pi / 2;
  Rope rope{.pairing = RopePairing::interleaved, .head_dim = 5, .frequencies = {quarter, 0.1}};
  const Rows one_head = {{1, 2, 3, 4, 5}};
  const double c = std::cos(0.3);
  const double s = std::sin(0.3);
  Owned x(device, one_head);
  device.begin(Step(3, 1));  // three quarter turns: (a, b) -> (b, -a)
  device.rope(x.view, rope);
  expect_near(x.values(), {{2, -1, 3 * c - 4 * s, 3 * s + 4 * c, 5}});
  rope.pairing = RopePairing::halves;
  rope.magnitude = 2.0;
  Owned y(device, one_head);
  device.rope(y.view, rope);  // pairs (0, 2) and (1, 3); the fifth dimension stays as it is
  expect_near(y.values(), {{6, 2 * (2 * c - 4 * s), -2, 2 * (2 * s + 4 * c), 5}});
}

TEST(Verbs, ElementByElement) {
  ReferenceDevice device;
  const Owned x(device, {{-1.5F, 0, 2}});
  const Owned y(device, {{2, 3, 4}});
  Owned out(device, 1, 3);
  device.add(out.view, x.view, y.view);
  EXPECT_EQ(out.values(), (Rows{{0.5F, 3, 6}}));
  device.scale(out.view, x.view, -2);
  EXPECT_EQ(out.values(), (Rows{{3, 0, -4}}));
  device.softcap(out.view, x.view, 3);
  expect_near(out.values(), {{3 * std::tanh(-0.5), 0, 3 * std::tanh(2.0 / 3)}});
  device.glu(out.view, x.view, y.view, Activation::silu);
  expect_near(out.values(), {{-3 / (1 + std::exp(1.5)), 0, 8 / (1 + std::exp(-2.0))}});
}

TEST(Verbs, AddGivesOneRowToAll) {
  ReferenceDevice device;
  Owned x(device, {{1, 2}, {3, 4}});
  const Owned bias(device, {{10, 20}});
  device.add(x.view, x.view, bias.view);
  EXPECT_EQ(x.values(), (Rows{{11, 22}, {13, 24}}));
}

// Published values: GELU(1) = 0.841345 (the normal distribution at 1), its tanh form 0.841192.
TEST(Verbs, Activations) {
  ReferenceDevice device;
  const Owned x(device, {{-2, 1}});
  Owned out(device, 1, 2);
  const auto of = [&](Activation activation) {
    device.activation(out.view, x.view, activation);
    return out.values().front();
  };
  EXPECT_NEAR(of(Activation::gelu_erf)[1], 0.8413447, 1e-7);
  EXPECT_NEAR(of(Activation::gelu_tanh)[1], 0.8411920, 1e-7);
  EXPECT_NEAR(of(Activation::gelu_erf)[0], -0.0455003, 1e-7);
  EXPECT_NEAR(of(Activation::silu)[1], 0.7310586, 1e-7);
  EXPECT_EQ(of(Activation::relu), (std::vector<float>{0, 1}));
  EXPECT_EQ(of(Activation::relu_squared), (std::vector<float>{0, 1}));
}

/// softmax(scale q k + bias) v of one query head over some keys, in double.
std::vector<double> softmax_sum(const std::vector<double>& scores, const Rows& values) {
  std::vector<double> sum(values.front().size());
  double total = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    total += std::exp(scores[i]);
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += std::exp(scores[i]) * values[i][j];
  }
  for (double& s : sum) s /= total;
  return sum;
}

class Attention : public testing::Test {
 protected:
  Attention() : cache_(device_.make_kv_cache({.n_ctx = 4, .layers = {{2, 1}}})) {
    device_.begin(Step(0, 3));
    const Owned k(device_, {{1, 0}, {0, 1}, {1, 1}});
    const Owned v(device_, {{10}, {20}, {40}});
    device_.kv_store(*cache_, 0, k.view, v.view);
  }

  /// Two query heads on one key head, three tokens.
  Rows run(AttentionSpec spec) {
    spec.n_head = 2;
    spec.n_head_kv = 1;
    spec.head_dim_k = 2;
    spec.head_dim_v = 1;
    const Owned q(device_, {{1, 0, 0, 1}, {1, 2, 0, 0}, {3, 0, -1, 0.5F}});
    Owned out(device_, 3, 2);
    device_.attention(out.view, q.view, *cache_, spec);
    return out.values();
  }

  ReferenceDevice device_;
  std::unique_ptr<KvCache> cache_;
  const Rows v1_ = {{10}}, v2_ = {{10}, {20}}, v3_ = {{10}, {20}, {40}}, last2_ = {{20}, {40}};
};

TEST_F(Attention, LooksBackOnly) {
  expect_near(run({.scale = 0.5F}),
              {{10, 10},
               {softmax_sum({0.5, 1.0}, v2_)[0], 15},
               {softmax_sum({1.5, 0.0, 1.5}, v3_)[0], softmax_sum({-0.5, 0.25, -0.25}, v3_)[0]}});
}

TEST_F(Attention, LooksBothWaysInAnEncoder) {
  const Rows out = run({.scale = 0.5F, .causal = false});
  EXPECT_NEAR(out[0][0], softmax_sum({0.5, 0.0, 0.5}, v3_)[0], 1e-5);
}

TEST_F(Attention, SeesAWindow) {
  const Rows out = run({.scale = 0.5F, .window = 2});
  EXPECT_NEAR(out[1][0], softmax_sum({0.5, 1.0}, v2_)[0], 1e-5);
  EXPECT_NEAR(out[2][0], softmax_sum({0.0, 1.5}, last2_)[0], 1e-5);
}

TEST_F(Attention, CapsScores) {
  const Rows out = run({.scale = 0.5F, .softcap = 2.0F});
  const double capped = 2 * std::tanh(1.5 / 2);
  EXPECT_NEAR(out[2][0], softmax_sum({capped, 0.0, capped}, v3_)[0], 1e-5);
}

// ALiBi's slopes for two heads and a bias of 8 are 2^-4 and 2^-8.
TEST_F(Attention, LowersScoresByDistance) {
  const Rows out = run({.scale = 0.5F, .max_alibi_bias = 8.0F});
  EXPECT_NEAR(out[2][0], softmax_sum({1.5 - 2 / 16.0, -1 / 16.0, 1.5}, v3_)[0], 1e-5);
  EXPECT_NEAR(out[2][1], softmax_sum({-0.5 - 2 / 256.0, 0.25 - 1 / 256.0, -0.25}, v3_)[0], 1e-5);
}

TEST(Step, ListsEachRowsSequenceAndPosition) {
  const std::vector<StepRun> runs = {{.slot = 3, .n_past = 7, .n_tokens = 2},
                                     {.slot = 0, .n_past = 0, .n_tokens = 1}};
  const Step step(runs);
  ASSERT_EQ(step.n_tokens(), 3);
  EXPECT_EQ(step.longest(), 9);
  EXPECT_EQ(step.row(1).slot, 3);
  EXPECT_EQ(step.row(1).position, 8);
  EXPECT_EQ(step.row(1).end, 9);
  EXPECT_EQ(step.row(2).slot, 0);
  EXPECT_EQ(step.row(2).position, 0);
  EXPECT_EQ(step.row(2).end, 1);
}

TEST(Step, ACacheHasRoomForEverySequence) {
  const KvShape one{.n_ctx = 5, .layers = {{2, 1}, {4, 3}}};
  EXPECT_EQ(one.bytes(), 5 * (2 + 1 + 4 + 3) * sizeof(float));
  const KvShape three{.n_ctx = 5, .n_slots = 3, .layers = {{2, 1}, {4, 3}}};
  EXPECT_EQ(three.bytes(), 3 * one.bytes());
}

TEST(Experts, TheBestAreChosenAndWeighted) {
  ReferenceDevice device;
  const Owned scores(device, {{0, 2, 1, 2}});
  Owned chosen(device, 1, 2);
  Owned weights(device, 1, 2);
  const double total = 1 + std::exp(1.0) + 2 * std::exp(2.0);
  device.route(chosen.view, weights.view, scores.view, {.n_used = 2});
  EXPECT_EQ(chosen.values(), (Rows{{1, 3}})) << "the lower number first where scores are equal";
  expect_near(weights.values(), {{std::exp(2.0) / total, std::exp(2.0) / total}});
  device.route(chosen.view, weights.view, scores.view,
               {.n_used = 2, .normalise = true, .scale = 3.0F});
  expect_near(weights.values(), {{1.5, 1.5}});
  device.route(chosen.view, weights.view, scores.view, {.n_used = 2, .sigmoid = true});
  expect_near(weights.values(), {{1 / (1 + std::exp(-2.0)), 1 / (1 + std::exp(-2.0))}});
}

TEST(Experts, EachChoiceUsesItsOwnMatrix) {
  ReferenceDevice device;
  const Weights stacked(device, {{1, 0}, {0, 1}, {2, 0}, {0, 2}, {3, 0}, {0, 3}});  // three 2x2
  const Owned chosen(device, {{2, 0}, {1, 2}});
  const Owned x(device, {{1, 10}, {2, 20}});
  Owned out(device, 4, 2);
  device.expert_matmul(out.view, *stacked.matrix, x.view, chosen.view);
  EXPECT_EQ(out.values(), (Rows{{3, 30}, {1, 10}, {4, 40}, {6, 60}}));
  const Owned weights(device, {{0.5F, 1}, {0, 2}});
  Owned sum(device, 2, 2);
  device.expert_sum(sum.view, out.view, weights.view);
  EXPECT_EQ(sum.values(), (Rows{{2.5F, 25}, {12, 120}}));
}

TEST(CpuDevice, ComputesTheSameBitsOnAnyNumberOfThreads) {
  Rows weights(200, std::vector<float>(300));
  Rows inputs(3, std::vector<float>(300));
  for (std::size_t i = 0; i < 200 * 300; ++i) weights[i / 300][i % 300] = std::sin(0.7F * i);
  for (std::size_t i = 0; i < 3 * 300; ++i) inputs[i / 300][i % 300] = std::cos(1.3F * i);
  const auto product = [&](Device& device) {
    const Weights w(device, weights);
    const Owned x(device, inputs);
    Owned out(device, 3, 200);
    device.matmul(out.view, *w.matrix, x.view);
    return out.values();
  };
  CpuDevice one({.n_threads = 1});
  const Rows expected = product(one);
  for (const int n_threads : {2, 3, 7}) {
    CpuDevice cpu({.n_threads = n_threads, .least_shared = 0});
    EXPECT_EQ(product(cpu), expected) << n_threads << " threads";
  }
  CpuDevice mapped({.n_threads = 2, .repack = false});
  EXPECT_EQ(product(mapped), expected) << "from the file's rows";
  ReferenceDevice reference;
  const Rows truth = product(reference);
  for (std::size_t t = 0; t < truth.size(); ++t) {
    for (std::size_t r = 0; r < truth[t].size(); ++r) {
      EXPECT_NEAR(expected[t][r], truth[t][r], 1e-5);
    }
  }
}

TEST(CpuDevice, HasAtLeastOneThread) {
  EXPECT_GE(CpuDevice().n_threads(), 1);
  EXPECT_EQ(CpuDevice({.n_threads = 3}).n_threads(), 3);
}

/// Gets one element of the second sum wrong.
class FaultyDevice final : public ReferenceDevice {
 public:
  void add(Tensor out, Tensor a, Tensor b) override {
    ReferenceDevice::add(out, a, b);
    if (++n_sums_ == 2)
      scale(out.column_range(1, 1, "fault"), out.column_range(1, 1, "fault"), 1.1F);
  }

 private:
  int n_sums_ = 0;
};

TEST(CheckedDevice, NamesTheOneOpThatIsOff) {
  FaultyDevice faulty;
  ReferenceDevice truth;
  std::vector<OpCheck> checks;
  CheckedDevice device(faulty, truth, [&](const OpCheck& check) { checks.push_back(check); });
  Owned x(device, {{1, 2}}, "x");
  const Owned y(device, {{3, 4}}, "y");
  Owned sum(device, {{0, 0}}, "sum");
  device.add(x.view, x.view, y.view);
  device.add(sum.view, x.view, y.view);
  device.scale(sum.view, sum.view, 2.0F);
  ASSERT_EQ(checks.size(), 3U);
  EXPECT_TRUE(checks[0].passed());
  EXPECT_FALSE(checks[1].passed());
  EXPECT_EQ(checks[1].verb, "add");
  EXPECT_EQ(checks[1].output, "sum");
  EXPECT_NEAR(checks[1].nmse, 1.0 / (49 + 100), 1e-6);  // 11 for 10, beside a right 7
  EXPECT_TRUE(checks[2].passed()) << "the truth goes on from the tested device's result";
  EXPECT_NEAR(sum.values()[0][1], 22, 1e-5) << "results are the tested device's";
}

TEST(CheckedDevice, NotANumberIsOff) {
  EXPECT_FALSE((OpCheck{.nmse = std::nan(""), .tolerance = 1.0}).passed());
}

TEST(TraceDevice, TellsWhatEachVerbGave) {
  ReferenceDevice inner;
  std::vector<TraceLine> lines;
  TraceDevice device(inner, [&](const TraceLine& line) { lines.push_back(line); });
  Owned x(device, {{1, 2, 3}, {4, 5, 6}}, "x");
  device.scale(x.view, x.view, 2.0F);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].verb, "scale");
  EXPECT_EQ(lines[0].output, "x");
  EXPECT_EQ(lines[0].rows, 2);
  EXPECT_EQ(lines[0].columns, 3);
  EXPECT_EQ(lines[0].sum, 42.0);
  EXPECT_EQ(lines[0].first, (std::vector<float>{2, 4, 6, 8}));
}

}  // namespace
}  // namespace hearth

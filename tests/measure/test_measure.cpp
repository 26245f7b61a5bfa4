// Ceilings are plausible, the work of a model is what counting its matrices by hand gives, and a
// benchmark's shares are what its own numbers say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "engine/measure/ceilings.h"
#include "engine/measure/model_bench.h"
#include "engine/measure/model_cost.h"
#include "engine/model/forward.h"
#include "engine/synth/synth.h"
#include "engine/synth/vocabulary.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

/// A small model of random weights, loaded.
struct Loaded {
  Loaded(std::string_view shape, std::string_view type, int n_layer, int n_slots = 1,
         int n_ctx = 64) {
    write_synth_model(*find_shape(shape), *find_synth_mix(type),
                      {.n_layer = n_layer, .n_vocab = kLeastSynthVocab}, dir / "m.gguf");
    file = std::make_unique<gguf::Reader>(gguf::Reader::open(dir / "m.gguf"));
    bundle = load_model(*file, {.n_threads = 2, .n_ctx = n_ctx, .n_slots = n_slots});
  }
  ModelCost cost() const { return ModelCost(*file, *bundle.model); }
  double kv(int positions) const {
    const Model& model = *bundle.model;
    return static_cast<double>(kv_shape(model, *model.placement.output, {positions, 1}).bytes());
  }

  test::TempDir dir;
  std::unique_ptr<gguf::Reader> file;
  ModelBundle bundle;
};

// Qwen2.5-0.5B: q and output 896 x 896, k and v 128 x 896, three matrices 896 x 4864.
constexpr double kLayer = 2.0 * 896 * 896 + 2.0 * 128 * 896 + 3.0 * 896 * 4864;
constexpr double kHead = 896.0 * kLeastSynthVocab;
constexpr double kBytesOfQ8 = 34.0 / 32.0;

TEST(ModelCost, CountsEveryMatrixOnce) {
  const Loaded model("qwen2.5-0.5b", "Q8_0", 2);
  const Work step = model.cost().decode(1, 10);
  EXPECT_EQ(step.int8, 2 * (2 * kLayer + kHead));
  EXPECT_EQ(step.bf16, 0);
  EXPECT_EQ(step.fma, 0);
  EXPECT_EQ(step.bytes, kBytesOfQ8 * (2 * kLayer + kHead) + model.kv(11));
}

TEST(ModelCost, ABatchReadsTheWeightsOnce) {
  const Loaded model("qwen2.5-0.5b", "Q8_0", 2);
  const Work step = model.cost().decode(4, 10);
  EXPECT_EQ(step.int8, 4 * 2 * (2 * kLayer + kHead));
  EXPECT_EQ(step.bytes, kBytesOfQ8 * (2 * kLayer + kHead) + 4 * model.kv(11));
}

TEST(ModelCost, APromptPaysForTheLayersOnly) {
  const Loaded model("qwen2.5-0.5b", "Q8_0", 1);
  const Work prompt = model.cost().prefill(24, 8, 16);  // in two passes
  EXPECT_EQ(prompt.int8, 24 * 2 * kLayer);
  EXPECT_EQ(prompt.bytes, 2 * kBytesOfQ8 * kLayer + model.kv(8 + 16) + model.kv(8 + 24));
}

TEST(ModelCost, KnowsTheKindOfArithmetic) {
  EXPECT_EQ(Loaded("qwen2.5-0.5b", "BF16", 1).cost().decode(1, 0).bf16, 2 * (kLayer + kHead));
  EXPECT_EQ(Loaded("qwen2.5-0.5b", "F16", 1).cost().decode(1, 0).fma, 2 * (kLayer + kHead));
}

// 8 of 32 experts, three matrices of 512 x 1024 each; their router is F32.
TEST(ModelCost, ATokenPaysForItsExperts) {
  const Loaded model("granite3-1b-a400m", "Q8_0", 1);
  const double attention = 2.0 * 1024 * 1024 + 2.0 * 512 * 1024;
  const double expert = 3.0 * 512 * 1024;
  const double head = 1024.0 * kLeastSynthVocab;
  const Work one = model.cost().decode(1, 0);
  EXPECT_EQ(one.int8, 2 * (attention + 8 * expert + head));
  EXPECT_EQ(one.fma, 2 * 1024.0 * 32);
  EXPECT_EQ(one.bytes,
            kBytesOfQ8 * (attention + 8 * expert + head) + 4 * 1024.0 * 32 + model.kv(1));
  const Work six = model.cost().decode(6, 0);  // may need 48 of 32: all
  EXPECT_EQ(six.bytes,
            kBytesOfQ8 * (attention + 32 * expert + head) + 4 * 1024.0 * 32 + 6 * model.kv(1));
}

// Gemma 3 looks back 512 tokens in its first five layers.
TEST(ModelCost, AWindowReadsNoMoreThanItself) {
  const Loaded model("gemma3-1b", "Q8_0", 1, 1, 4);
  const ModelCost cost = model.cost();
  EXPECT_EQ(cost.decode(1, 2000).bytes, cost.decode(1, 600).bytes);
  EXPECT_EQ(cost.decode(1, 600).bytes - cost.decode(1, 0).bytes, model.kv(512) - model.kv(1));
}

TEST(Ceilings, ArePlausible) {
  CeilingMeter meter(2);
  EXPECT_EQ(meter.n_threads(), 2);
  const Ceilings found = meter.measure();
  for (const double rate : {found.int8, found.bf16, found.fma}) {
    EXPECT_GT(rate, 1e8);
    EXPECT_LT(rate, 1e13);
  }
  EXPECT_GT(found.read, 1e8);
  EXPECT_LT(found.read, 1e12);
}

TEST(ModelBench, MeasuresWhatWasAsked) {
  Loaded model("qwen2.5-0.5b", "Q8_0", 1, 2);
  CeilingMeter meter(2);
  std::uint64_t last = 0;
  const auto watch = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_GE(done, last);
    EXPECT_EQ(total, 2U * 2U * (5U + 3U * 2U));  // rounds, depths, prompt and decoding of two
    last = done;
    return true;
  };
  const BenchOptions options = {
      .n_prompt = 5, .n_decode = 3, .n_batch = 2, .depths = {0, 20}, .rounds = 2};
  EXPECT_EQ(bench_context(options), 25);
  const BenchReport report = bench_model(*model.file, model.bundle, meter, options, watch);
  EXPECT_EQ(last, 2U * 2U * (5U + 3U * 2U));
  ASSERT_EQ(report.points.size(), 2U);
  EXPECT_GT(report.peak_rss, 1U << 20);
  for (const BenchPoint& point : report.points) {
    ASSERT_TRUE(point.prefill && point.decode);
    for (const Measured& m : {*point.prefill, *point.decode}) {
      EXPECT_GT(m.tokens_per_second, 0);
      EXPECT_LE(m.lowest, m.tokens_per_second);
      EXPECT_GE(m.highest, m.tokens_per_second);
      EXPECT_GT(m.arithmetic_share, 0);
      EXPECT_LT(m.arithmetic_share, 1.2);
      EXPECT_LT(m.memory_share, 3.0);  // so small a model stays in the cache
    }
    EXPECT_EQ(point.decode->work.int8, 2 * 2 * (kLayer + kHead));
    EXPECT_NEAR(point.decode->work_per_second, point.decode->tokens_per_second / 2, 1e-6);
  }
  EXPECT_EQ(report.points[1].depth, 20);
}

TEST(ModelBench, AnEncoderHasNoDecoding) {
  Loaded model("minilm-l6", "F16", 1);
  CeilingMeter meter(1);
  const BenchReport report =
      bench_model(*model.file, model.bundle, meter, {.n_prompt = 6, .rounds = 1});
  EXPECT_TRUE(report.points[0].prefill);
  EXPECT_FALSE(report.points[0].decode);
}

TEST(ModelBench, StopsWhenAsked) {
  Loaded model("qwen2.5-0.5b", "Q8_0", 1);
  CeilingMeter meter(1);
  EXPECT_THROW(bench_model(*model.file, model.bundle, meter, {.n_prompt = 2, .n_decode = 2},
                           [](std::uint64_t, std::uint64_t) { return false; }),
               Cancelled);
}

}  // namespace
}  // namespace hearth

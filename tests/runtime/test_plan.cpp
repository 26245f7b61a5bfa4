// Placement and plans, which need no GPU: shares of a toy model under invented rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string_view>

#include "base/error.h"
#include "engine/device/cpu/memory_rules.h"
#include "engine/runtime/plan.h"
#include "tests/support/toy_model.h"

namespace hearth {
namespace {

using testing::HasSubstr;

/// One byte per element of a matrix, 10 per float, 1000 per position of a layer's cache, 7 in all
/// for itself.
class SimpleRules : public MemoryRules {
 public:
  std::vector<std::uint64_t> matrix(const MatrixShape& shape) const override {
    return {static_cast<std::uint64_t>(shape.rows * shape.columns)};
  }
  std::vector<std::uint64_t> buffer(std::size_t n_floats) const override { return {10 * n_floats}; }
  std::vector<std::uint64_t> kv_cache(const KvShape& shape) const override {
    std::vector<std::uint64_t> pieces;
    for (const KvShape::Layer& layer : shape.layers) {
      if (layer.k_columns > 0) pieces.push_back(1000 * static_cast<std::uint64_t>(shape.n_ctx));
    }
    return pieces;
  }
  std::vector<std::uint64_t> fixed(int) const override { return {7}; }
  std::uint64_t allocated(std::span<const std::uint64_t> pieces) const override {
    return std::accumulate(pieces.begin(), pieces.end(), std::uint64_t{0});
  }
};

class Plans : public testing::Test {
 protected:
  std::vector<std::byte> bytes_ = test::toy_model({.family = "llama", .with = {"output.weight"}});
  gguf::Reader file_ = gguf::Reader::from_bytes(bytes_, "toy");
  Planner planner_{file_};
  SimpleRules rules_;
  PlanShape shape_ = {.n_ctx = 20, .n_ubatch = 5, .kv_type = QuantType::F32};
};

// n_embd 32, 4 heads of 8 on 2, n_ff 48, 64 tokens, 3 layers: by hand.
constexpr std::uint64_t kAttention = 32 * 32 + 2 * 16 * 32 + 32 * 32;
constexpr std::uint64_t kFeedForward = 3 * 32 * 48;
constexpr std::uint64_t kHead = 64 * 32;
constexpr std::uint64_t kScratch = 10 * (5 * (32 + 32 + 64 + 32 + 32 + 96 + 32));
constexpr std::uint64_t kLogits = 10 * (5 * 64);

TEST_F(Plans, GiveEachDeviceItsLayers) {
  const DeviceShare gpu = planner_.gpu_share(2, shape_, rules_);
  EXPECT_EQ(gpu.bytes_of("attention"), 2 * kAttention);
  EXPECT_EQ(gpu.bytes_of("feed-forward"), 2 * kFeedForward);
  EXPECT_EQ(gpu.bytes_of("head"), kHead);
  EXPECT_EQ(gpu.bytes_of("embedding"), 0U);
  EXPECT_EQ(gpu.bytes_of("norms and biases"), 10 * (2 * 2 * 32 + 32U));
  EXPECT_EQ(gpu.bytes_of("KV cache"), 2 * 20 * 1000U);
  EXPECT_EQ(gpu.bytes_of("scratch"), kScratch + kLogits);
  EXPECT_EQ(gpu.allocated,
            2 * (kAttention + kFeedForward) + kHead + 10 * 160 + 40000 + kScratch + kLogits + 7);

  const DeviceShare cpu = planner_.cpu_share(2, shape_, rules_);
  EXPECT_EQ(cpu.bytes_of("attention"), kAttention);
  EXPECT_EQ(cpu.bytes_of("head"), 0U);
  EXPECT_EQ(cpu.bytes_of("embedding"), 64 * 32U);
  EXPECT_EQ(cpu.bytes_of("KV cache"), 20 * 1000U);
  EXPECT_EQ(cpu.bytes_of("scratch"), kScratch);
}

TEST_F(Plans, WithoutAGpuAllIsOnTheCpu) {
  EXPECT_EQ(planner_.gpu_share(0, shape_, rules_).allocated, 0U);
  const DeviceShare cpu = planner_.cpu_share(0, shape_, rules_);
  EXPECT_EQ(cpu.bytes_of("attention"), 3 * kAttention);
  EXPECT_EQ(cpu.bytes_of("head"), kHead);
  EXPECT_EQ(cpu.bytes_of("scratch"), kScratch + kLogits);
}

TEST_F(Plans, ATiedHeadIsASecondMatrixOnTheGpu) {
  const std::vector<std::byte> bytes = test::toy_model({.family = "llama"});
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, "toy");
  const Planner planner(file);
  EXPECT_EQ(planner.gpu_share(1, shape_, rules_).bytes_of("head"), kHead);
  EXPECT_EQ(planner.cpu_share(1, shape_, rules_).bytes_of("embedding"), kHead);
}

TEST_F(Plans, FindWhatFits) {
  for (int n = 1; n <= 3; ++n) {
    const std::uint64_t exactly = planner_.gpu_share(n, shape_, rules_).allocated;
    EXPECT_EQ(planner_.most_layers(shape_, rules_, exactly), n);
    EXPECT_EQ(planner_.most_layers(shape_, rules_, exactly - 1), n - 1);
  }
  PlanShape larger = shape_;
  larger.n_ctx = 512;
  const std::uint64_t budget = planner_.gpu_share(3, larger, rules_).allocated;
  EXPECT_EQ(planner_.largest_context(3, shape_, rules_, budget, 4096), 512);
  EXPECT_EQ(planner_.largest_context(3, shape_, rules_, budget - 1, 4096), 256);
  EXPECT_EQ(planner_.largest_context(3, shape_, rules_, budget, 256), 256);
  EXPECT_EQ(planner_.largest_context(3, shape_, rules_, 1000, 4096), 0);
}

/// Classes are all that is allocated, with what rules lose between pieces.
TEST_F(Plans, AreToTheByte) {
  class Padded : public SimpleRules {
   public:
    std::uint64_t allocated(std::span<const std::uint64_t> pieces) const override {
      return SimpleRules::allocated(pieces) + 3 * pieces.size();
    }
  };
  const DeviceShare share = planner_.gpu_share(2, shape_, Padded());
  EXPECT_EQ(share.bytes_of("between pieces"), 3 * share.pieces.size());
  std::uint64_t sum = 0;
  for (const MemoryClass& c : share.classes) sum += c.bytes;
  EXPECT_EQ(sum, share.allocated);
  EXPECT_EQ(planner_.gpu_share(2, shape_, rules_).bytes_of("between pieces"), 0U);
}

/// A context of which a device cannot have the caches, whatever its memory, is no error while it is
/// looked for what fits.
TEST_F(Plans, FindTheLargestContextThatADeviceCanHave) {
  class Narrow : public SimpleRules {
   public:
    std::vector<std::uint64_t> kv_cache(const KvShape& shape) const override {
      if (shape.n_ctx > 1000) throw Error("more than a shader sees");
      return SimpleRules::kv_cache(shape);
    }
  };
  EXPECT_EQ(planner_.largest_context(3, shape_, Narrow(), std::uint64_t{1} << 40, 4096), 768);
  PlanShape large = shape_;
  large.n_ctx = 1024;
  EXPECT_THROW(planner_.gpu_share(3, large, Narrow()), Error);
}

/// Weights of a type that is none, and shapes that are wrong.
TEST_F(Plans, RefuseTensorsThatAreNotTheFamilys) {
  const auto why_not = [](const std::vector<std::byte>& bytes) {
    const gguf::Reader file = gguf::Reader::from_bytes(bytes, "toy");
    try {
      const Planner planner(file);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(why_not(test::toy_model({.without = {"blk.1.attn_q.weight"}})),
              HasSubstr("blk.1.attn_q.weight [32, 32] is missing"));
  // A tensor's name is followed by the number of its dimensions, two of them, and its type.
  constexpr std::string_view kName = "blk.1.attn_q.weight";
  std::vector<std::byte> bytes = test::toy_model({});
  const auto name = std::as_bytes(std::span(kName));
  const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  ASSERT_NE(found, bytes.end());
  found[kName.size() + 4 + 2 * 8] = static_cast<std::byte>(QuantType::I32);
  EXPECT_THAT(why_not(bytes), HasSubstr("has type I32, which is not one of weights"));
}

TEST_F(Plans, SayWhatWouldFit) {
  PlanShape large = shape_;
  large.n_ctx = 1024;
  PlanShape smaller = shape_;
  smaller.n_ctx = 512;
  const std::uint64_t budget = planner_.gpu_share(3, smaller, rules_).allocated;
  const std::string text = advice(planner_, 3, large, rules_, budget);
  EXPECT_THAT(text, HasSubstr("3 of 3 layers and a context of 1024 need"));
  EXPECT_THAT(text, HasSubstr("-ngl 1"));
  EXPECT_THAT(text, HasSubstr("-c 512"));
  EXPECT_THAT(advice(planner_, 3, large, rules_, 1000), HasSubstr("not even one layer fits"));
}

TEST(CpuRules, WithoutRepackingWeightsTakeNothing) {
  const MatrixShape matrix = {.type = QuantType::Q4_K, .rows = 128, .columns = 512};
  EXPECT_TRUE(cpu_memory_rules(false)->matrix(matrix).empty());
  EXPECT_GE(cpu_memory_rules(true)->matrix(matrix).at(0),
            128 * row_bytes(quant_type_info(QuantType::Q4_K), 512));
}

}  // namespace
}  // namespace hearth

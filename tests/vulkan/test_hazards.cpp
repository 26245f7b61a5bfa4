// Which ops wait for which, and how few wait: what a layer costs in dispatches and barriers is held
// here, so that it does not creep up.
#include <gtest/gtest.h>

#include "base/nmse.h"
#include "engine/device/vulkan/hazards.h"
#include "engine/device/vulkan/pipelines.h"
#include "engine/runtime/split_load.h"
#include "tests/support/toy_model.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

using vulkan::Area;
using vulkan::Hazards;

VkBuffer buffer(std::uintptr_t number) {
  return reinterpret_cast<VkBuffer>(number);
}

TEST(Areas, OverlapWhereTheyShareBytes) {
  const Area a{.buffer = buffer(1), .first = 100, .bytes = 50};
  EXPECT_TRUE(overlap(a, a));
  EXPECT_TRUE(overlap(a, {.buffer = buffer(1), .first = 149, .bytes = 1}));
  EXPECT_FALSE(overlap(a, {.buffer = buffer(1), .first = 150, .bytes = 10}));
  EXPECT_FALSE(overlap(a, {.buffer = buffer(1), .first = 0, .bytes = 100}));
  EXPECT_FALSE(overlap(a, {.buffer = buffer(2), .first = 100, .bytes = 50}));
}

/// Rows of 64 bytes: their first 24 bytes and their others are beside each other; rows of another
/// pitch, or that end in the next row, may meet them anywhere.
TEST(Areas, OfColumnsOfTheSameRowsDoNotMeet) {
  const auto part = [](std::uint64_t first, std::uint64_t bytes, std::uint64_t stride) {
    return Area{.buffer = buffer(1), .first = first, .bytes = bytes, .stride = stride, .rows = 4};
  };
  EXPECT_FALSE(overlap(part(0, 24, 64), part(24, 40, 64)));
  EXPECT_FALSE(overlap(part(0, 24, 64), part(64 + 24, 40, 64)));
  EXPECT_TRUE(overlap(part(0, 25, 64), part(24, 40, 64)));
  EXPECT_TRUE(overlap(part(0, 24, 64), part(24, 40, 32)));
  EXPECT_TRUE(overlap(part(0, 24, 64), part(40, 40, 64)));
  EXPECT_FALSE(overlap(part(0, 24, 64), part(256, 24, 64)));  // below the last row
}

TEST(OpsOnTheDevice, WaitForWhatTheyReadAndWriteOver) {
  const Area a{.buffer = buffer(1), .bytes = 10};
  const Area b{.buffer = buffer(2), .bytes = 10};
  const Area c{.buffer = buffer(3), .bytes = 10};
  const auto op = [](Hazards& hazards, const Area& read, const Area& written) {
    const Area areas[] = {read, written};
    return hazards.must_wait(areas, 2);
  };
  Hazards hazards;
  EXPECT_TRUE(op(hazards, a, b)) << "the first";
  EXPECT_FALSE(op(hazards, a, c)) << "reads the same";
  EXPECT_TRUE(op(hazards, b, c)) << "reads what the first wrote";
  EXPECT_TRUE(op(hazards, a, c)) << "writes what the last wrote";
  EXPECT_TRUE(op(hazards, b, a)) << "writes what the last read";
  EXPECT_FALSE(op(hazards, b, c)) << "has to do with none since";
  hazards.begin();
  EXPECT_TRUE(op(hazards, b, c)) << "the first again";
}

/// Bindings as the shaders' sources have them.
TEST(Shaders, TellWhatTheyWriteTo) {
  EXPECT_EQ(vulkan::bindings_written_by("rope"), 0b01U);
  EXPECT_EQ(vulkan::bindings_written_by("norm"), 0b11000U);
  EXPECT_EQ(vulkan::bindings_written_by("matvec"), 0b0100U);
  EXPECT_EQ(vulkan::bindings_written_by("matvec_dot_subgroup"), 0b0100U);
  EXPECT_EQ(vulkan::bindings_written_by("gemm_matrix") & 0b0011U, 0U);
  EXPECT_EQ(vulkan::bindings_written_by("kv_store"), 0b011001U);
  EXPECT_EQ(vulkan::bindings_written_by("elementwise"), 0b100U);
  for (const std::string_view name : vulkan::shader_names())
    EXPECT_NE(vulkan::bindings_written_by(name), 0U) << name;
}

constexpr std::int32_t kNext = 5;

gguf::Reader qwen2(std::vector<std::byte>& bytes, QuantType type, int n_layer) {
  bytes = toy_model({.family = "qwen2",
                     .n_layer = n_layer,
                     .n_embd = 64,
                     .n_head = 2,
                     .n_head_kv = 1,
                     .n_ff = 96,
                     .type = type});
  return gguf::Reader::from_bytes(bytes, "toy");
}

std::vector<float> logits_after(Context& context) {
  context.eval(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  const std::span<const float> logits = context.eval(std::vector<std::int32_t>{kNext});
  return {logits.begin(), logits.end()};
}

/// What a token takes on the device, in the shape of a Qwen2 with so many layers.
VulkanStats decoding(const std::string& tiers, QuantType type, int n_layer) {
  std::vector<std::byte> bytes;
  const gguf::Reader file = qwen2(bytes, type, n_layer);
  const ModelBundle bundle =
      load_model_on(open_test_device({.staging_bytes = 1 << 16, .tiers = tiers}), file,
                    {.n_ctx = 64, .n_ubatch = 16, .kv_type = QuantType::F16});
  const auto& device = static_cast<const VulkanDevice&>(*bundle.device);
  bundle.context->eval(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  const VulkanStats before = device.stats();
  bundle.context->eval(std::vector<std::int32_t>{kNext});
  VulkanStats after = device.stats();
  EXPECT_EQ(after.submits - before.submits, 1U);
  after.dispatches -= before.dispatches;
  after.barriers -= before.barriers;
  return after;
}

/// What a layer more adds.
VulkanStats of_a_layer(const std::string& tiers, QuantType type) {
  const VulkanStats two = decoding(tiers, type, 2);
  VulkanStats more = decoding(tiers, type, 3);
  more.dispatches -= two.dispatches;
  more.barriers -= two.barriers;
  return more;
}

class Layers : public VulkanTest {};

/// norm | q, k, v | their places | chunks | merged | o | norm | gate and up | down
TEST_F(Layers, TakeElevenDispatchesAndNineBarriers) {
  const VulkanStats layer = of_a_layer("none", QuantType::F32);
  EXPECT_EQ(layer.dispatches, 11U);
  EXPECT_EQ(layer.barriers, 9U);
}

/// Norms and the merged heads leave bytes; what goes into `down` is made of them by a dispatch.
TEST_F(Layers, TakeOneMoreInIntegers) {
  skip_without({0, "dot"});
  if (IsSkipped()) return;
  const VulkanStats layer = of_a_layer("dot", QuantType::Q8_0);
  EXPECT_EQ(layer.dispatches, 12U);
  EXPECT_EQ(layer.barriers, 10U);
}

/// Bytes of another row, or of a row before it was written over, would give other logits, not ones
/// that are off by what bytes round.
TEST_F(Layers, GiveTheLogitsOfTheReferenceInIntegers) {
  skip_without({0, "dot"});
  if (IsSkipped()) return;
  std::vector<std::byte> bytes;
  const gguf::Reader file = qwen2(bytes, QuantType::Q8_0, 3);
  const ModelBundle truth = load_model(file, {.device = LoadOptions::On::reference, .n_ctx = 64});
  const ModelBundle tested =
      load_model_on(open_test_device({.staging_bytes = 1 << 16, .tiers = "dot"}), file,
                    {.n_ctx = 64, .n_ubatch = 16, .kv_type = QuantType::F32});
  EXPECT_LE(nmse(logits_after(*tested.context), logits_after(*truth.context)), 1e-3);
}

}  // namespace
}  // namespace hearth::test

// The loops that measure a machine: they are there at every level, and do the work they claim.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/dispatch.h"
#include "tests/kernels/aligned_bytes.h"

namespace hearth::kernels {
namespace {

TEST(Ceilings, EveryLevelHasAllLoops) {
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    const KernelTable table = make_kernel_table(&level);
    for (const BusyLoop& loop : {table.busy_int8, table.busy_fma, table.busy_bf16}) {
      ASSERT_NE(loop.run, nullptr) << level.name;
      EXPECT_GT(loop.operations, 0U) << level.name;
      loop.run(3);
    }
  }
}

// A compiler that sums the loops up would make them endlessly fast: no machine does 64 times this
// many multiplications in a cycle.
TEST(Ceilings, TheLoopsAreNotOptimisedAway) {
  using Seconds = std::chrono::duration<double>;
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    const KernelTable table = make_kernel_table(&level);
    for (const BusyLoop& loop : {table.busy_int8, table.busy_fma, table.busy_bf16}) {
      constexpr std::uint64_t kRounds = 20000;
      const auto start = std::chrono::steady_clock::now();
      loop.run(kRounds);
      const Seconds elapsed = std::chrono::steady_clock::now() - start;
      EXPECT_LT(static_cast<double>(kRounds * loop.operations) / elapsed.count(), 6e12)
          << level.name;
    }
  }
}

TEST(Ceilings, ReadingTakesInEveryWord) {
  const std::size_t bytes = 3 * 1024;
  test::AlignedBytes memory(bytes);
  std::vector<std::uint64_t> words(bytes / sizeof(std::uint64_t));
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = 0x9e3779b97f4a7c15U * (i + 1);
    expected ^= words[i];
  }
  std::memcpy(memory.data(), words.data(), bytes);
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    EXPECT_EQ(make_kernel_table(&level).read_memory(memory.data(), bytes), expected) << level.name;
  }
}

}  // namespace
}  // namespace hearth::kernels

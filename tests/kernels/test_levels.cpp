// Which level of kernels a CPU gets.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kernels/dispatch.h"

namespace hearth::kernels {
namespace {

TEST(Levels, TheBestOneIsTheLastThatTheCpuHas) {
  const IsaLevel* best = best_isa_level();
  EXPECT_TRUE(best->is_supported());
  for (const IsaLevel* later = best + 1; later != all_isa_levels().end(); ++later) {
    EXPECT_FALSE(later->is_supported()) << later->name;
  }
}

// Who runs the tests on a CPU of known abilities says which level it is to get.
TEST(Levels, AreThoseOfTheCpu) {
  const char* expected = std::getenv("HEARTH_EXPECTED_LEVEL");
  if (!expected) GTEST_SKIP() << "nobody said which CPU this is";
  EXPECT_EQ(best_isa_level()->name, std::string(expected));
}

}  // namespace
}  // namespace hearth::kernels

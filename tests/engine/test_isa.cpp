// Which level of kernels is chosen, on machines that have all of them and on those that do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/cpu/isa.h"

namespace hearth {
namespace {

using kernels::IsaLevel;
using kernels::IsaLevelRange;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A machine with the second of three levels.
IsaLevelRange older_machine() {
  constexpr auto yes = [] { return true; };
  constexpr auto no = [] { return false; };
  static constexpr IsaLevel kLevels[] = {{"plain", "nothing", yes, nullptr},
                                         {"wide", "wide vectors", yes, nullptr},
                                         {"widest", "the widest vectors", no, nullptr}};
  return {kLevels, kLevels + 3};
}

std::string error_of(const char* name) {
  try {
    choose_level(name, older_machine());
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(IsaLevels, TheFastestThatTheMachineHasUnlessOneIsNamed) {
  EXPECT_EQ(choose_level(nullptr, older_machine()).name, "wide");
  EXPECT_EQ(choose_level("", older_machine()).name, "wide");
  EXPECT_EQ(choose_level("plain", older_machine()).name, "plain");
  EXPECT_EQ(&choose_level(nullptr), kernels::best_isa_level());
}

TEST(IsaLevels, AreNotReplacedByOthers) {
  EXPECT_THAT(error_of("widest"),
              AllOf(HasSubstr("HEARTH_ISA"), HasSubstr("does not have the widest vectors"),
                    HasSubstr("one of plain, wide"), Not(HasSubstr("wide, widest"))));
  EXPECT_THAT(error_of("mmx"),
              AllOf(HasSubstr("no kernels"), HasSubstr("one of plain, wide"), HasSubstr("mmx")));
  EXPECT_THAT(error_of("Plain"), HasSubstr("no kernels"));
}

TEST(IsaLevels, ScalarServesEverySlotOfEveryType) {
  const kernels::KernelTable& table = kernels_of(choose_level("scalar"));
  for (const QuantTypeInfo& info : all_quant_types()) {
    if (!info.is_weight) continue;
    EXPECT_NE(table.matmul[info.type].multiply, nullptr) << info.name;
    EXPECT_NE(table.dequantize_row[info.type], nullptr) << info.name;
    EXPECT_NE(table.quantize_row[info.type], nullptr) << info.name;
  }
}

}  // namespace
}  // namespace hearth

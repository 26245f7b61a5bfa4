// hearth doctor and HEARTH_ISA, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernels/dispatch.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using nlohmann::json;
using test::ProgramResult;
using testing::AllOf;
using testing::HasSubstr;

/// hearth with HEARTH_ISA=level.
ProgramResult run_at(const std::string& level, const std::vector<std::string>& args) {
  std::vector<std::string> words = {"/usr/bin/env", "HEARTH_ISA=" + level, HEARTH_PROGRAM};
  words.insert(words.end(), args.begin(), args.end());
  return test::run_program(std::move(words));
}

json doctor_at(const std::string& level) {
  const ProgramResult result = run_at(level, {"doctor", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return json::parse(result.out);
}

TEST(Doctor, SaysWhatThisMachineHas) {
  const json found = doctor_at("");
  EXPECT_GE(found["threads"]["default"], 1);
  EXPECT_LE(found["threads"]["default"], found["threads"]["hardware"]);
  EXPECT_GT(found["memory"]["total_bytes"], 1U << 20);
  EXPECT_LE(found["memory"]["available_bytes"], found["memory"]["total_bytes"]);
  EXPECT_THAT(found["memory"]["huge_pages"].get<std::string>(),
              testing::AnyOf("always", "madvise", "never", "unknown"));
  EXPECT_EQ(found["chosen_level"], std::string(kernels::best_isa_level()->name));
  std::set<std::string> names;
  for (const json& level : found["levels"]) {
    names.insert(level["name"]);
    EXPECT_EQ(level["chosen"], level["name"] == found["chosen_level"]);
  }
  for (const kernels::IsaLevel& level : kernels::all_isa_levels()) {
    EXPECT_EQ(names.count(std::string(level.name)), 1U);
  }
  EXPECT_TRUE(found["cpu"]["features"].contains("avx2"));
  EXPECT_TRUE(found["openblas"].is_null() || found["openblas"].is_string());
}

TEST(Doctor, NamesAKernelForEveryOpAndType) {
  const json kernels = doctor_at("")["kernels"];
  for (const QuantTypeInfo& info : all_quant_types()) {
    if (!info.is_weight) continue;
    for (const char* op : {"matmul", "prompt_matmul", "get_rows"}) {
      EXPECT_NE(kernels[op].value(std::string(info.name), ""), "") << op << " " << info.name;
    }
  }
  for (const char* op : {"quantise activations", "rms_norm", "rope", "attention"}) {
    EXPECT_NE(kernels["ops"].value(op, ""), "") << op;
  }
}

TEST(Doctor, SpeaksToPeople) {
  const ProgramResult result = test::run_hearth({"doctor"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("CPU "), HasSubstr("Threads"), HasSubstr("by default"),
                                HasSubstr("Memory"), HasSubstr("Kernel levels"),
                                HasSubstr("chosen"), HasSubstr("Q4_K"), HasSubstr("rms_norm")));
}

TEST(HearthIsa, ForcesEachLevelAndNoneAboveIt) {
  std::set<std::string> allowed;
  for (const kernels::IsaLevel& level : kernels::all_isa_levels()) {
    if (!level.is_supported()) continue;
    const std::string name(level.name);
    allowed.insert(name);
    const json found = doctor_at(name);
    EXPECT_EQ(found["chosen_level"], name);
    EXPECT_EQ(found["kernels"]["prompt_matmul"]["Q4_K"], name);
    for (const auto& group : found["kernels"]) {
      for (const auto& by : group) EXPECT_TRUE(allowed.count(by)) << by << " with " << name;
    }
  }
}

TEST(HearthIsa, GivesTheSameLogitsAtEveryLevel) {
  const test::TempDir dir;
  const std::string out = (dir / "logits.f32").string();
  std::set<std::string> all;
  for (const kernels::IsaLevel& level : kernels::all_isa_levels()) {
    if (!level.is_supported()) continue;
    const ProgramResult result = run_at(
        std::string(level.name), {"logits", "-t", "2", "--tokens", "5 9 70 12 33", "-o", out});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    std::ifstream file(out, std::ios::binary);
    all.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  EXPECT_EQ(all.size(), 1U);
  EXPECT_GT(all.begin()->size(), 1000U);
}

TEST(HearthIsa, AWrongNameIsAnErrorOfEveryCommandThatComputes) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"doctor"}, {"run", "-n", "1", "Hi"}, {"bench", "-n", "1"}}) {
    const ProgramResult result = run_at("mmx", args);
    EXPECT_EQ(result.exit_code, 1) << args[0];
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("HEARTH_ISA"), HasSubstr("one of scalar"), HasSubstr("mmx")));
    EXPECT_EQ(result.out, "");
  }
}

}  // namespace
}  // namespace hearth

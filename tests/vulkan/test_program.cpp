// The program's commands with a Vulkan device, and what it says where something cannot be had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/support/run_hearth.h"
#include "tests/vulkan/validation.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

using testing::HasSubstr;

using Words = std::vector<std::string>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Words on_device() {
  return {"--device", wished_vulkan_device()};
}

/// Where Vulkan's loader finds no driver.
ProgramResult run_without_drivers(const Words& words) {
  return run_program(Words{"/usr/bin/env", "VK_ICD_FILENAMES=/nonexistent",
                           "VK_DRIVER_FILES=/nonexistent", HEARTH_PROGRAM} +
                     words);
}

/// On the shaders of the base, which say what the reference says.
class ProgramOnVulkan : public VulkanTest {
 protected:
  static void SetUpTestSuite() { setenv("HEARTH_VULKAN_TIERS", "none", 1); }
  static void TearDownTestSuite() { unsetenv("HEARTH_VULKAN_TIERS"); }
};

TEST_F(ProgramOnVulkan, SaysWhatTheReferenceSays) {
  const Words command = {"run",
                         "--raw",
                         "-t",
                         "1",
                         "-c",
                         "64",
                         "-n",
                         "8",
                         "--temp",
                         "0",
                         "--kv-type",
                         "f32",
                         "Where is the cat?"};
  const ProgramResult truth = run_hearth(command + Words{"--reference"});
  ASSERT_EQ(truth.exit_code, 0) << truth.err;
  for (const std::string layers : {"all", "auto"}) {
    const ProgramResult gpu = run_hearth(command + on_device() + Words{"-ngl", layers});
    EXPECT_EQ(gpu.exit_code, 0) << gpu.err;
    EXPECT_EQ(gpu.out, truth.out) << "-ngl " << layers;
  }
  const ProgramResult split = run_hearth(command + on_device() + Words{"-ngl", "1", "--profile"});
  EXPECT_EQ(split.exit_code, 0);
  EXPECT_THAT(split.err, HasSubstr("on the GPU"));
  EXPECT_THAT(split.err, HasSubstr("attention"));
}

/// What the validation layer says of prompts, decoding, profiling, and (in tests of their own) of
/// loads and prompts in parts: nothing.
TEST_F(ProgramOnVulkan, TheValidationLayerHasNothingToSay) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer sees nothing of the layer's own synchronisation";
#endif
  const Words commands[] = {
      Words{HEARTH_PROGRAM, "run", "--raw", "-c", "128", "-n", "8", "--temp", "0", "--ubatch", "32",
            "-ngl", "all", "There was a cat who wanted to learn how to swim. Where is the cat?"} +
          on_device(),
      Words{HEARTH_PROGRAM, "run", "--raw", "-c", "64", "-n", "4", "--profile", "-ngl", "1",
            "--kv-device", "cpu", "Where is the cat?"} +
          on_device(),
      Words{HEARTH_PROGRAM, "verify", "--tokens", "1 5 9 100 7"} + on_device(),
      {std::filesystem::read_symlink("/proc/self/exe").string(),
       "--gtest_filter=WholeModels.ArriveAndComputeInParts:*MultipliesFewColumnsAndMany/Q8_0"}};
  for (const Words& command : commands) {
    const ProgramResult result = run_program(kValidated + command);
    const std::string why_not = why_not_validated(result);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    expect_no_complaint(result);
  }
}

TEST_F(ProgramOnVulkan, VerifiesEveryOp) {
  const ProgramResult verified =
      run_hearth(Words{"verify", "--tokens", "1 5 9 100 7"} + on_device());
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("attention"));
  EXPECT_THAT(verified.out, HasSubstr("on vulkan:"));
}

TEST_F(ProgramOnVulkan, PlansToTheByte) {
  const ProgramResult planned =
      run_hearth(Words{"plan", "--json", "-c", "64", "-ngl", "1"} + on_device());
  ASSERT_EQ(planned.exit_code, 0) << planned.err;
  const auto json = nlohmann::json::parse(planned.out);
  EXPECT_EQ(json["gpu_layers"], 1);
  EXPECT_EQ(json["devices"].size(), 2U);
  const auto& gpu = json["devices"][1];
  std::uint64_t sum = 0;
  for (const auto& [name, bytes] : gpu["classes"].items()) sum += bytes.get<std::uint64_t>();
  EXPECT_EQ(sum, gpu["allocated_bytes"].get<std::uint64_t>());
  EXPECT_GT(json["fits"]["largest_context"], 0);
}

/// A context larger than the model was trained for has room as well; one that a shader cannot see
/// at once does not keep smaller ones from being found.
TEST_F(ProgramOnVulkan, PlansFindTheLargestContext) {
  const auto largest = [](const std::string& asked) {
    const ProgramResult planned =
        run_hearth(Words{"plan", "--json", "-c", asked, "-ngl", "1"} + on_device());
    EXPECT_EQ(planned.exit_code, 0) << planned.err;
    return nlohmann::json::parse(planned.out)["fits"]["largest_context"].get<int>();
  };
  EXPECT_EQ(largest("64"), 1024);
  EXPECT_EQ(largest("40000"), 40000);
}

/// Keys and values in the host's memory, and what would fit where it does not.
TEST_F(ProgramOnVulkan, PlansKeysAndValuesElsewhere) {
  const Words plan = Words{"plan", "--json", "-c", "64", "-ngl", "all"} + on_device();
  const auto planned = [&](const Words& more) {
    const ProgramResult result = run_hearth(plan + more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out)["devices"][1];
  };
  const auto usual = planned({});
  const auto elsewhere = planned({"--kv-device", "cpu"});
  EXPECT_EQ(usual["host_bytes"], 0U);
  EXPECT_FALSE(elsewhere["classes"].contains("KV cache"));
  EXPECT_EQ(elsewhere["host_bytes"], usual["classes"]["KV cache"]);
  const ProgramResult wrong = run_hearth(plan + Words{"--kv-device", "moon"});
  EXPECT_EQ(wrong.exit_code, 2);
}

/// How fast, beside what the device copies.
TEST_F(ProgramOnVulkan, BenchMeasuresTheDeviceToo) {
  const ProgramResult result = run_hearth(
      Words{"bench", "--json", "-p", "8", "-n", "2", "-r", "1", "-t", "1", "-ngl", "all"} +
      on_device());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_GT(json["prefill_tps"], 0.0);
  EXPECT_GT(json["decode_tps"], 0.0);
  EXPECT_GT(json["ceilings"]["gpu_copy_gb_per_s"], 0.0);
  const double read_gb =
      json["results"][0]["decode"]["gb_per_pass"].get<double>() * json["decode_tps"].get<double>();
  EXPECT_NEAR(json["decode_share_of_gpu"].get<double>(),
              read_gb / json["ceilings"]["gpu_copy_gb_per_s"].get<double>(), 1e-6);
}

TEST_F(ProgramOnVulkan, DoctorListsTheDevice) {
  const ProgramResult found = run_hearth({"doctor", "--json"});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  const auto json = nlohmann::json::parse(found.out);
  ASSERT_FALSE(json["vulkan"]["devices"].empty());
  for (const auto& tier : json["vulkan"]["devices"][0]["tiers"]) {
    EXPECT_EQ(tier["on"], false);
    EXPECT_THAT(tier["why_off"].get<std::string>(), HasSubstr("asked for"));
  }
}

TEST_F(ProgramOnVulkan, TakesNoTierThatDoesNotExist) {
  const ProgramResult wrong =
      run_program(Words{"/usr/bin/env", "HEARTH_VULKAN_TIERS=subgroup,warp", HEARTH_PROGRAM, "run",
                        "--raw", "-n", "1", "hello"} +
                  on_device());
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("HEARTH_VULKAN_TIERS"));
  EXPECT_THAT(wrong.err, HasSubstr("warp"));
}

/// Where products are those of integers, verify allows what that rounds away.
TEST_F(ProgramOnVulkan, VerifiesTheTiers) {
  const ProgramResult verified =
      run_program(Words{"/usr/bin/env", "HEARTH_VULKAN_TIERS=subgroup,dot", HEARTH_PROGRAM,
                        "verify", "--tokens", "1 5 9"} +
                  on_device());
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
}

TEST_F(ProgramOnVulkan, AnswersForWhatCannotBeHad) {
  const ProgramResult unknown =
      run_hearth({"run", "--raw", "-n", "1", "--device", "no such thing", "hello"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("no such Vulkan device"));
  const ProgramResult absurd =
      run_hearth(Words{"run", "--raw", "-n", "1", "-ngl", "1000", "hello"} + on_device());
  EXPECT_EQ(absurd.exit_code, 1);
  EXPECT_THAT(absurd.err, HasSubstr("-ngl"));
  for (const std::string layers : {"all", "auto"}) {
    const ProgramResult large = run_hearth(
        Words{"run", "--raw", "-n", "1", "-c", "200000000", "-ngl", layers, "hello"} + on_device());
    EXPECT_EQ(large.exit_code, 1);
    EXPECT_THAT(large.err, HasSubstr("a context of at most"));
  }
}

/// Software devices are used only when they are named, and a machine without a driver is told so.
TEST(ProgramWithoutAGpu, SaysThatThereIsNone) {
  const ProgramResult none =
      run_without_drivers({"run", "--raw", "-n", "1", "-ngl", "1", "--device", "gpu", "hello"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr("Vulkan"));
  const ProgramResult listed = run_without_drivers({"doctor", "--json"});
  ASSERT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_TRUE(nlohmann::json::parse(listed.out)["vulkan"]["devices"].empty());
  EXPECT_FALSE(nlohmann::json::parse(listed.out)["vulkan"]["why_none"].get<std::string>().empty());
}

}  // namespace
}  // namespace hearth::test

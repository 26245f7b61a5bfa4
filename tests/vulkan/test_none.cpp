// What a program that was built without Vulkan says when it is asked for a device: this test is
// linked with what takes the place of everything else there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/device/vulkan/vulkan.h"
#include "tests/support/run_hearth.h"

namespace hearth {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* kWhy = "built without Vulkan";

TEST(WithoutVulkan, ThereIsNoDeviceAndItSaysWhy) {
  const VulkanListing listing = list_vulkan_devices();
  EXPECT_TRUE(listing.devices.empty());
  EXPECT_THAT(listing.why_none, HasSubstr(kWhy));
  EXPECT_THAT([] { open_vulkan_device(); }, ThrowsMessage<Error>(HasSubstr(kWhy)));
  EXPECT_THAT([&] { choose_vulkan_device(listing, "0"); }, ThrowsMessage<Error>(HasSubstr(kWhy)));
  EXPECT_THAT([] { vulkan_memory_rules({}); }, ThrowsMessage<Error>(HasSubstr(kWhy)));
}

test::ProgramResult run(std::vector<std::string> words) {
  words.insert(words.begin(), HEARTH_WITHOUT_VULKAN);
  return test::run_program(words);
}

/// The program runs on the CPU as any other, and a GPU is an error that says why there is none.
TEST(WithoutVulkan, TheProgramDoesWithout) {
  const test::ProgramResult spoken = run({"run", "--raw", "-t", "1", "-n", "1", "hello"});
  EXPECT_EQ(spoken.exit_code, 0) << spoken.err;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"run", "--device", "gpu", "hello"},
        {"run", "-ngl", "auto", "hello"},
        {"plan", "-ngl", "all"},
        {"verify", "--device", "0"},
        {"bench", "-ngl", "1", "-n", "1"}}) {
    const test::ProgramResult refused = run(words);
    EXPECT_EQ(refused.exit_code, 1) << words[0];
    EXPECT_THAT(refused.err, HasSubstr(kWhy)) << words[0];
  }
  const test::ProgramResult doctor = run({"doctor", "--json"});
  ASSERT_EQ(doctor.exit_code, 0) << doctor.err;
  EXPECT_THAT(nlohmann::json::parse(doctor.out)["vulkan"]["why_none"].get<std::string>(),
              HasSubstr(kWhy));
}

}  // namespace
}  // namespace hearth

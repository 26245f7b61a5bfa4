// What a program that was built without Vulkan says when it is asked for a device: this test is
// linked with what takes the place of everything else there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/device/vulkan/vulkan.h"

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

}  // namespace
}  // namespace hearth

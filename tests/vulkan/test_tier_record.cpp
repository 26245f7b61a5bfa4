// What is kept for a device between runs: files that are good for one driver and one set of
// shaders, and among them what the self-tests of tiers found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/device/vulkan/gpu.h"
#include "engine/device/vulkan/tier_record.h"
#include "engine/device/vulkan/tiers.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using vulkan::KeptFile;
using vulkan::TierRecord;

TEST(KeptFiles, AreReadAsTheyWereWritten) {
  const TempDir folder;
  const KeptFile file((folder / "a" / "b").string(), "stamp");
  EXPECT_FALSE(file.read());
  for (const std::string& contents : {std::string("one\ntwo\0three", 13), std::string()}) {
    file.write(contents);
    EXPECT_EQ(file.read(), contents);
  }
  EXPECT_FALSE(KeptFile("", "stamp").is_kept());
  EXPECT_FALSE(KeptFile("", "stamp").read());
}

TEST(KeptFiles, OfAnotherDriverOrSpoiledCountAsNone) {
  const TempDir folder;
  const std::string path = (folder / "file").string();
  const KeptFile file(path, "stamp");
  file.write("contents");
  EXPECT_FALSE(KeptFile(path, "another stamp").read());
  const std::uintmax_t whole = std::filesystem::file_size(path);
  for (std::uintmax_t size = 0; size < whole; ++size) {
    file.write("contents");
    std::filesystem::resize_file(path, size);
    EXPECT_FALSE(file.read()) << size;
  }
  file.write("contents");
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(whole) - 1)
      .put('S');
  EXPECT_FALSE(file.read());
}

TEST(TierRecords, KeepTheLastFindingOfEachTest) {
  const TempDir folder;
  const KeptFile file((folder / "tiers").string(), "stamp");
  TierRecord record(file);
  EXPECT_FALSE(record.fault_of("dot"));
  record.keep("dot", "wrong");
  record.keep("subgroup", "");
  record.keep("dot", "still wrong");
  const TierRecord again(file);
  EXPECT_EQ(again.fault_of("dot"), "still wrong");
  EXPECT_EQ(again.fault_of("subgroup"), "");
  EXPECT_FALSE(again.fault_of("matrix"));
}

class TierRecordsOfDevices : public VulkanTest {
 protected:
  /// The program, with a folder of its own for what it keeps.
  ProgramResult run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"/usr/bin/env", "XDG_CACHE_HOME=" + folder_.path().string(),
                                 "HEARTH_VULKAN_TIERS=subgroup", HEARTH_PROGRAM});
    return run_program(words);
  }
  ProgramResult speak() const {
    return run({"run", "--raw", "-t", "1", "-c", "32", "-n", "1", "--temp", "0", "--device",
                wished_vulkan_device(), "hello"});
  }
  KeptFile record_file() const {
    const VulkanListing listing = list_vulkan_devices();
    const int index = choose_vulkan_device(listing, wished_vulkan_device()).index;
    const auto instance = vulkan::Instance::shared();
    const auto& device = instance->devices()[static_cast<std::size_t>(index)];
    VkPhysicalDeviceProperties properties{};
    instance->api().GetPhysicalDeviceProperties(device.handle, &properties);
    return {"tiers", {.cache_folder = (folder_ / "hearth").string()}, device.info, properties};
  }

  const TempDir folder_;
  const std::string test_ = "subgroup 1 0 " + std::to_string(vulkan::kSelfTests);
};

/// A run takes over what an earlier one found, `hearth doctor` does not, and a file of another
/// driver is no use.
TEST_F(TierRecordsOfDevices, AreWhatTheNextRunGoesBy) {
  skip_without({0, "subgroup"});
  if (IsSkipped()) return;
  const ProgramResult first = speak();
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(TierRecord(record_file()).fault_of(test_), "");
  TierRecord(record_file()).keep(test_, "pretended");
  const ProgramResult second = speak();
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.out, first.out);
  EXPECT_THAT(second.err, HasSubstr("subgroup are not used: its self-test failed: pretended"));
  EXPECT_THAT(second.err, HasSubstr("hearth doctor"));
  const ProgramResult doctor = run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0);
  EXPECT_THAT(doctor.out, Not(HasSubstr("pretended")));
  EXPECT_EQ(TierRecord(record_file()).fault_of(test_), "");
  EXPECT_THAT(speak().err, Not(HasSubstr("self-test")));
}

/// What a pretended liar gets wrong is no finding about the device.
TEST_F(TierRecordsOfDevices, DoNotKeepWhatTestsPretend) {
  skip_without({0, "subgroup"});
  if (IsSkipped()) return;
  const auto device = open_test_device({.cache_folder = (folder_ / "hearth").string(),
                                        .tiers = "subgroup",
                                        .lying_tier = "subgroup"});
  EXPECT_FALSE(record_file().read());
}

}  // namespace
}  // namespace hearth::test

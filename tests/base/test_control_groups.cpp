// Limits of control groups as the kernel's documentation lays their files out (cgroup-v2.rst;
// v1: sched-bwc.rst, memory.rst).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/control_groups.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

class ControlGroupsTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((dir_ / path).parent_path());
    std::ofstream(dir_ / path) << text;
  }
  ControlGroups groups() const { return {.mounted = dir_ / "fs", .own = dir_ / "own"}; }

  test::TempDir dir_;
};

TEST_F(ControlGroupsTest, WithoutAnyThereIsNoLimit) {
  EXPECT_FALSE(cpu_quota(groups()));
  EXPECT_FALSE(memory_quota_left(groups()));
}

TEST_F(ControlGroupsTest, Version2) {
  write("own", "0::/a/b\n");
  write("fs/cpu.max", "max 100000\n");
  write("fs/a/b/cpu.max", "max 100000\n");
  write("fs/a/b/memory.max", "max\n");
  EXPECT_FALSE(cpu_quota(groups()));
  EXPECT_FALSE(memory_quota_left(groups()));
  write("fs/a/b/cpu.max", "150000 100000\n");
  write("fs/a/b/memory.max", "1000\n");
  write("fs/a/b/memory.current", "700\n");
  EXPECT_EQ(cpu_quota(groups()), 1.5);
  EXPECT_EQ(memory_quota_left(groups()), 300U);
}

TEST_F(ControlGroupsTest, TheGroupsAroundLimitToo) {
  write("own", "0::/a/b\n");
  write("fs/a/b/cpu.max", "400000 100000\n");
  write("fs/a/cpu.max", "100000 50000\n");
  write("fs/a/b/memory.max", "5000\n");
  write("fs/a/b/memory.current", "100\n");
  write("fs/memory.max", "600\n");
  write("fs/memory.current", "200\n");
  EXPECT_EQ(cpu_quota(groups()), 2.0);
  EXPECT_EQ(memory_quota_left(groups()), 400U);
}

TEST_F(ControlGroupsTest, CachedFilesCanMakeRoom) {
  write("own", "0::/\n");
  write("fs/memory.max", "1000\n");
  write("fs/memory.current", "900\n");
  write("fs/memory.stat", "anon 300\nfile 600\ninactive_file 450\nactive_file 50\n");
  EXPECT_EQ(memory_quota_left(groups()), 600U);
}

TEST_F(ControlGroupsTest, AFullGroupHasNothingLeft) {
  write("own", "0::/\n");
  write("fs/memory.max", "1000\n");
  write("fs/memory.current", "1200\n");
  EXPECT_EQ(memory_quota_left(groups()), 0U);
}

TEST_F(ControlGroupsTest, Version1) {
  write("own", "4:memory:/box/7\n2:cpu,cpuacct:/box/7\n1:cpuset:/\n0::/\n");
  write("fs/cpu/box/7/cpu.cfs_quota_us", "-1\n");
  write("fs/cpu/box/7/cpu.cfs_period_us", "100000\n");
  write("fs/memory/box/7/memory.limit_in_bytes", "2000\n");
  write("fs/memory/box/7/memory.usage_in_bytes", "1500\n");
  write("fs/memory/box/7/memory.stat", "inactive_file 1\ntotal_inactive_file 300\n");
  EXPECT_FALSE(cpu_quota(groups()));
  EXPECT_EQ(memory_quota_left(groups()), 800U);
  write("fs/cpu/box/7/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(cpu_quota(groups()), 2.5);
}

TEST_F(ControlGroupsTest, InsideAContainerItsFolderIsTheRoot) {
  write("own", "4:memory:/docker/12ab\n2:cpu:/docker/12ab\n");
  write("fs/memory/memory.limit_in_bytes", "4096\n");
  write("fs/cpu/cpu.cfs_quota_us", "50000\n");
  write("fs/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(memory_quota_left(groups()), 4096U);
  EXPECT_EQ(cpu_quota(groups()), 0.5);
}

TEST_F(ControlGroupsTest, NonsenseIsNoLimit) {
  write("own", "nonsense\n\n0::\n");
  write("fs/cpu.max", "many 0\n");
  write("fs/memory.max", "\n");
  EXPECT_FALSE(cpu_quota(groups()));
  EXPECT_FALSE(memory_quota_left(groups()));
}

}  // namespace
}  // namespace hearth

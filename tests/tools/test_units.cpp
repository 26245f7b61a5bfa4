#include <gtest/gtest.h>

#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

TEST(Units, BytesArePowersOf1024) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text((1ull << 20) - 1), "1.0 MiB");  // never "1024.0 KiB"
  EXPECT_EQ(bytes_text(7ull << 30), "7.0 GiB");
  EXPECT_EQ(bytes_text(~0ull), "16.0 EiB");
}

TEST(Units, CountsArePowersOf1000WithThreeDigits) {
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1.00 k");
  EXPECT_EQ(count_text(25600), "25.6 k");
  EXPECT_EQ(count_text(999600), "1.00 M");
  EXPECT_EQ(count_text(7241732096), "7.24 B");
  EXPECT_EQ(count_text(~0ull), "18.4 Qi");
}

}  // namespace
}  // namespace hearth::cli

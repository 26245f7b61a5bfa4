// What the tests of the Vulkan device share: the device itself, and tensors that it and the
// reference have alike.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device/reference_device.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth::test {

/// The device under test: HEARTH_TEST_VULKAN (index, name or UUID), else Mesa's software device.
std::string wished_vulkan_device();

/// Why there is no such device here; empty if there is.
std::string why_no_vulkan_device();

/// A device of its own. Without the pipeline cache of the person who runs the tests, and without
/// tiers unless the options name some.
std::unique_ptr<VulkanDevice> open_test_device(VulkanOptions options = {});

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

/// Which shaders: of so many lanes (0: as suits the device), with these tiers.
struct Variant {
  int lanes = 0;
  std::string tiers = "none";

  Variant(int n = 0, std::string names = "none") : lanes(n), tiers(std::move(names)) {}  // NOLINT
  std::string name() const;
};

inline void PrintTo(const Variant& variant, std::ostream* out) {
  *out << variant.name();
}

/// One for all tests that do not mind, for each variant: opening and compiling take a while.
VulkanDevice& shared_test_device(const Variant& variant = {});

/// Skips, with a line that says so, where there is no Vulkan device.
class VulkanTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string why = why_no_vulkan_device();
    if (!why.empty())
      GTEST_SKIP() << "no Vulkan device, so the test is skipped as a whole: " << why;
  }

  /// Skips where the device does not use the variant's tiers, or has no workgroups of its size.
  static void skip_without(const Variant& variant);
};

/// The same values on two devices, in the middle of a larger buffer whose other words are guards.
class Twin {
 public:
  Twin(Device& tested, Device& truth, int rows, int columns, int gap = 5);

  Twin& fill(std::mt19937& random, float low = -1.0F, float high = 1.0F);
  Twin& set(const std::vector<float>& values);

  Tensor tested() const { return view(*tested_buffer_); }
  Tensor truth() const { return view(*truth_buffer_); }
  std::vector<float> tested_values() const;
  std::vector<float> truth_values() const;

  /// Compares the values, and looks whether all guards are what they were.
  void expect_equal(double most_nmse, const std::string& what) const;

 private:
  Tensor view(Buffer& buffer) const;
  std::size_t total() const;

  Device& tested_device_;
  Device& truth_device_;
  int rows_;
  int columns_;
  int gap_;
  std::unique_ptr<Buffer> tested_buffer_;
  std::unique_ptr<Buffer> truth_buffer_;
};

/// 32 numbers as bytes, by the rule of shaders/quantise.comp: x is about scale times q.
struct QuantisedUnit {
  float scale = 0.0F;
  std::array<int, 32> q = {};
};
QuantisedUnit quantised_unit(std::span<const float> x);

/// What is left of rows of values when they became bytes.
std::vector<float> by_way_of_bytes(const std::vector<float>& values, int columns);

/// A matrix of random blocks on both.
struct TwinMatrix {
  TwinMatrix(Device& tested_device, Device& truth_device, QuantType type, std::int64_t rows,
             std::int64_t columns, std::mt19937& random, std::int64_t n_stacked = 1);

  std::vector<std::byte> data;
  std::unique_ptr<Matrix> tested;
  std::unique_ptr<Matrix> truth;
};

/// Types that matrices of models can have.
std::vector<QuantType> weight_types();

}  // namespace hearth::test

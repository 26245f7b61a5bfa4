#include "tests/vulkan/vulkan_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/nmse.h"
#include "engine/device/vulkan/gpu.h"
#include "tests/kernels/random_blocks.h"

namespace hearth::test {
namespace {

constexpr float kGuard = 12345.5F;
constexpr int kBefore = 7;  // guards before the first row: views need not be aligned

}  // namespace

std::string wished_vulkan_device() {
  const char* wish = std::getenv("HEARTH_TEST_VULKAN");
  return wish && *wish ? wish : "llvmpipe";
}

std::string why_no_vulkan_device() {
  static const std::string kWhy = [] {
    try {
      choose_vulkan_device(list_vulkan_devices(), wished_vulkan_device());
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  }();
  return kWhy;
}

std::unique_ptr<VulkanDevice> open_test_device(VulkanOptions options) {
  options.device = wished_vulkan_device();
  options.use_cache = options.use_cache && !options.cache_folder.empty();
  if (options.tiers.empty()) options.tiers = "none";
  return open_vulkan_device(options);
}

std::string Variant::name() const {
  std::string name = fmt::format("{}_{}", lanes, tiers);
  std::replace(name.begin(), name.end(), ',', '_');
  return name;
}

VulkanDevice& shared_test_device(const Variant& variant) {
  static std::map<std::string, std::unique_ptr<VulkanDevice>> devices;
  std::unique_ptr<VulkanDevice>& device = devices[variant.name()];
  if (!device) {
    device = open_test_device(
        {.staging_bytes = 1 << 20, .tiers = variant.tiers, .workgroup = variant.lanes});
  }
  return *device;
}

namespace {

/// Of the largest workgroup that the device under test runs.
int most_lanes() {
  const int index = choose_vulkan_device(list_vulkan_devices(), wished_vulkan_device()).index;
  const auto instance = vulkan::Instance::shared();
  VkPhysicalDeviceProperties properties{};
  instance->api().GetPhysicalDeviceProperties(
      instance->devices()[static_cast<std::size_t>(index)].handle, &properties);
  return static_cast<int>(std::min(properties.limits.maxComputeWorkGroupInvocations,
                                   properties.limits.maxComputeWorkGroupSize[0]));
}

}  // namespace

void VulkanTest::skip_without(const Variant& variant) {
  if (IsSkipped()) return;
  if (variant.lanes > most_lanes())
    GTEST_SKIP() << "the device has no workgroups of " << variant.lanes;
  for (const VulkanTier& tier : shared_test_device(variant).tiers()) {
    if (!tier.is_on && variant.tiers.find(tier.name) != std::string::npos)
      GTEST_SKIP() << "the tier " << tier.name << " is off: " << tier.why_off;
  }
}

Twin::Twin(Device& tested, Device& truth, int rows, int columns, int gap)
    : tested_device_(tested),
      truth_device_(truth),
      rows_(rows),
      columns_(columns),
      gap_(gap),
      tested_buffer_(tested.allocate(total())),
      truth_buffer_(truth.allocate(total())) {
  const std::vector<float> guards(total(), kGuard);
  const auto n = static_cast<int>(total());
  tested.upload(
      {.buffer = tested_buffer_.get(), .rows = 1, .columns = n, .stride = n, .name = "all"},
      guards);
}

std::size_t Twin::total() const {
  return static_cast<std::size_t>(kBefore + (rows_ + 1) * (columns_ + gap_));
}

Tensor Twin::view(Buffer& buffer) const {
  return {.buffer = &buffer,
          .offset = kBefore,
          .rows = rows_,
          .columns = columns_,
          .stride = columns_ + gap_,
          .name = "t"};
}

Twin& Twin::fill(std::mt19937& random, float low, float high) {
  std::vector<float> values(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_));
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(random() >> 8) * 0x1p-24F;
  }
  return set(values);
}

Twin& Twin::set(const std::vector<float>& values) {
  tested_device_.upload(tested(), values);
  truth_device_.upload(truth(), values);
  return *this;
}

std::vector<float> Twin::tested_values() const {
  std::vector<float> values(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_));
  tested_device_.download(values, tested());
  return values;
}

std::vector<float> Twin::truth_values() const {
  std::vector<float> values(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_));
  truth_device_.download(values, truth());
  return values;
}

void Twin::expect_equal(double most_nmse, const std::string& what) const {
  const double off = nmse(tested_values(), truth_values());
  EXPECT_LE(off, most_nmse) << what;
  std::vector<float> all(total());
  const auto n = static_cast<int>(total());
  tested_device_.download(
      all, {.buffer = tested_buffer_.get(), .rows = 1, .columns = n, .stride = n, .name = "all"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t past = i - kBefore;
    const auto pitch = static_cast<std::size_t>(columns_ + gap_);
    const bool is_value = i >= kBefore && past / pitch < static_cast<std::size_t>(rows_) &&
                          past % pitch < static_cast<std::size_t>(columns_);
    ASSERT_TRUE(is_value || all[i] == kGuard) << what << ": word " << i << " was written to";
  }
}

namespace {

/// 127, 126, 125 or 124, as a part of 127: what leaves the least squared error, the larger of
/// equals.
float best_end(std::span<const float> x, float inverse) {
  float best = 1.0F;
  float least = std::numeric_limits<float>::infinity();
  for (const double end : {127.0, 126.0, 125.0, 124.0}) {
    const auto part = static_cast<float>(end / 127.0);
    float quads[8] = {};
    for (std::size_t quad = 0; 4 * quad < x.size(); ++quad) {
      float squares[4] = {};
      for (std::size_t i = 0; i < 4 && 4 * quad + i < x.size(); ++i) {
        const float scaled = x[4 * quad + i] * (inverse * part);
        const float off = scaled - std::nearbyint(scaled);
        squares[i] = off * off;
      }
      quads[quad] = (squares[0] + squares[1]) + (squares[2] + squares[3]);
    }
    float sum = 0.0F;
    for (const float of_quad : quads) sum += of_quad;
    sum *= static_cast<float>(127.0 * 127.0 / (end * end));
    if (!(sum < least)) continue;
    least = sum;
    best = part;
  }
  return best;
}

}  // namespace

QuantisedUnit quantised_unit(std::span<const float> x) {
  QuantisedUnit unit;
  float highest = 0.0F;
  for (const float value : x) highest = std::max(highest, std::fabs(value));
  if (highest < 0x1p-111F) return unit;
  // highest = part * 2^exponent; 16 bits of the part, rounded up, so that none becomes more than
  // 127.
  int exponent = 0;
  const double part = std::frexp(static_cast<double>(highest), &exponent);
  const double upper = std::ceil(part * 65536.0);
  const double factor = std::ldexp(std::floor(127.0 * 0x1p25 / upper), -9 - exponent);
  const auto inverse = static_cast<float>(factor) * best_end(x, static_cast<float>(factor));
  for (std::size_t i = 0; i < x.size(); ++i)
    unit.q[i] = static_cast<int>(std::nearbyint(x[i] * inverse));
  unit.scale = 1.0F / inverse;
  return unit;
}

std::vector<float> by_way_of_bytes(const std::vector<float>& values, int columns) {
  std::vector<float> left(values.size());
  const auto n = static_cast<std::size_t>(columns);
  for (std::size_t row = 0; row < values.size(); row += n) {
    for (std::size_t at = 0; at < n; at += 32) {
      const std::size_t length = std::min<std::size_t>(32, n - at);
      const QuantisedUnit unit = quantised_unit({values.data() + row + at, length});
      for (std::size_t i = 0; i < length; ++i)
        left[row + at + i] = unit.scale * static_cast<float>(unit.q[i]);
    }
  }
  return left;
}

TwinMatrix::TwinMatrix(Device& tested_device, Device& truth_device, QuantType type,
                       std::int64_t rows, std::int64_t columns, std::mt19937& random,
                       std::int64_t n_stacked)
    : data(random_rows(type, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns),
                       Blocks::usual, random)) {
  const HostMatrix host = {.name = "w",
                           .type = type,
                           .rows = rows,
                           .columns = columns,
                           .data = data,
                           .n_stacked = n_stacked};
  tested = tested_device.load(host);
  truth = truth_device.load(host);
}

std::vector<QuantType> weight_types() {
  std::vector<QuantType> types;
  for (const QuantTypeInfo& info : all_quant_types()) {
    if (info.is_weight) types.push_back(info.type);
  }
  return types;
}

}  // namespace hearth::test

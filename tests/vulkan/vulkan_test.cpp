#include "tests/vulkan/vulkan_test.h"

#include <cmath>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "base/nmse.h"
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
  return open_vulkan_device(options);
}

VulkanDevice& shared_test_device(int lanes) {
  static std::map<int, std::unique_ptr<VulkanDevice>> devices;
  std::unique_ptr<VulkanDevice>& device = devices[lanes];
  if (!device) device = open_test_device({.staging_bytes = 1 << 20, .workgroup = lanes});
  return *device;
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

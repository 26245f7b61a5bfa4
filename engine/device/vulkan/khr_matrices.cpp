#include "engine/device/vulkan/khr_matrices.h"

#include <array>
#include <cstring>
#include <map>
#include <string_view>

#include "base/error.h"

namespace hearth::vulkan {
namespace {

// Numbers of the SPIR-V specification and of its two extensions.
enum Op : std::uint32_t {
  kOpExtension = 10,
  kOpCapability = 17,
  kOpTypeInt = 21,
  kOpConstantTrue = 41,
  kOpConstantFalse = 42,
  kOpConstant = 43,
  kOpDecorate = 71,
  kOpTypeMatrixNv = 5358,
  kOpLoadNv = 5359,
  kOpStoreNv = 5360,
  kOpMulAddNv = 5361,
  kOpTypeMatrixKhr = 4456,
  kOpLoadKhr = 4457,
  kOpStoreKhr = 4458,
  kOpMulAddKhr = 4459,
};

constexpr std::uint32_t kDecorationSpecId = 1;
constexpr std::uint32_t kCapabilityNv = 5357;
constexpr std::uint32_t kCapabilityKhr = 6022;
constexpr std::string_view kExtensionNv = "SPV_NV_cooperative_matrix";
constexpr std::string_view kExtensionKhr = "SPV_KHR_cooperative_matrix";

constexpr std::size_t kHeaderWords = 5;
constexpr std::size_t kBoundAt = 3;
constexpr std::uint32_t kFirstUse = 2;  // number of the specialisation constant of the first use
constexpr std::uint32_t kUses = 3;

class Translation {
 public:
  explicit Translation(std::span<const std::uint32_t> module) : bound_(module[kBoundAt]) {
    out_.assign(module.begin(), module.begin() + kHeaderWords);
  }

  void take(std::span<const std::uint32_t> instruction);

  std::vector<std::uint32_t> finish() {
    out_[kBoundAt] = bound_;
    return std::move(out_);
  }

 private:
  using Words = std::span<const std::uint32_t>;

  void put(Op op, std::initializer_list<std::uint32_t> operands, Words rest = {}) {
    const auto n = static_cast<std::uint32_t>(1 + operands.size() + rest.size());
    out_.push_back(n << 16 | op);
    out_.insert(out_.end(), operands);
    out_.insert(out_.end(), rest.begin(), rest.end());
  }

  /// Constants 0, 1 and 2, which say uses and orders, stand behind the type that they need.
  void put_numbers(std::uint32_t type) {
    for (std::uint32_t value = 0; value < kUses; ++value) {
      numbers_[value] = bound_++;
      put(kOpConstant, {type, numbers_[value], value});
    }
  }

  std::uint32_t order(std::uint32_t is_column_major) const {
    return numbers_[is_true_.at(is_column_major) ? 1 : 0];
  }

  std::vector<std::uint32_t> out_;
  std::uint32_t bound_;
  std::map<std::uint32_t, std::uint32_t> use_;  // by the id of a number of rows
  std::map<std::uint32_t, bool> is_true_;       // by the id of a constant
  std::array<std::uint32_t, kUses> numbers_ = {};
};

void Translation::take(Words in) {
  switch (in[0] & 0xFFFFU) {
    case kOpCapability:
      put(kOpCapability, {in[1] == kCapabilityNv ? kCapabilityKhr : in[1]});
      return;
    case kOpExtension: {
      const std::string_view name(reinterpret_cast<const char*>(in.data() + 1));
      std::array<std::uint32_t, kExtensionKhr.size() / 4 + 1> words = {};
      std::memcpy(words.data(), kExtensionKhr.data(), kExtensionKhr.size());
      put(kOpExtension, {}, name == kExtensionNv ? Words(words) : in.subspan(1));
      return;
    }
    case kOpDecorate:
      if (in[2] == kDecorationSpecId && in[3] - kFirstUse < kUses) use_[in[1]] = in[3] - kFirstUse;
      break;
    case kOpTypeInt:
      out_.insert(out_.end(), in.begin(), in.end());
      if (in[2] == 32 && in[3] == 0) put_numbers(in[1]);
      return;
    case kOpConstantTrue:
    case kOpConstantFalse:
      is_true_[in[2]] = (in[0] & 0xFFFFU) == kOpConstantTrue;
      break;
    case kOpTypeMatrixNv:  // result, component, scope, rows, columns
      HEARTH_CHECK(use_.contains(in[4]));
      put(kOpTypeMatrixKhr, {in[1], in[2], in[3], in[4], in[5], numbers_[use_[in[4]]]});
      return;
    case kOpLoadNv:  // type, result, pointer, stride, order, memory access
      put(kOpLoadKhr, {in[1], in[2], in[3], order(in[5]), in[4]}, in.subspan(6));
      return;
    case kOpStoreNv:  // pointer, object, stride, order, memory access
      put(kOpStoreKhr, {in[1], in[2], order(in[4]), in[3]}, in.subspan(5));
      return;
    case kOpMulAddNv:  // type, result, factors, sum
      put(kOpMulAddKhr, {in[1], in[2], in[3], in[4], in[5]});
      return;
    default:
      break;
  }
  out_.insert(out_.end(), in.begin(), in.end());
}

}  // namespace

std::vector<std::uint32_t> khr_matrices(std::span<const std::uint32_t> module) {
  HEARTH_CHECK(module.size() > kHeaderWords);
  bool has_matrices = false;
  const auto each = [&](auto visit) {
    for (std::size_t at = kHeaderWords; at < module.size();) {
      const std::size_t n = module[at] >> 16;
      HEARTH_CHECK(n > 0 && at + n <= module.size());
      visit(module.subspan(at, n));
      at += n;
    }
  };
  each([&](std::span<const std::uint32_t> in) {
    has_matrices |= (in[0] & 0xFFFFU) == kOpCapability && in[1] == kCapabilityNv;
  });
  if (!has_matrices) return {module.begin(), module.end()};
  Translation translation(module);
  each([&](std::span<const std::uint32_t> in) { translation.take(in); });
  return translation.finish();
}

}  // namespace hearth::vulkan

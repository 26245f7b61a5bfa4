// Compute pipelines: a shader module with its specialisation constants, made when first used and
// kept, also on disk.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/device/vulkan/gpu.h"
#include "engine/device/vulkan/kept_file.h"

namespace hearth::vulkan {

/// Bytes of push constants that every device has.
inline constexpr std::uint32_t kPushBytes = 128;
inline constexpr std::uint32_t kMostBindings = 6;
inline constexpr std::uint32_t kMostConstants = 12;

struct Pipeline {
  VkPipeline handle = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  std::uint32_t n_bindings = 0;
  std::string_view module = {};
};

/// A buffer, or a part of it, as a shader sees it.
struct Binding {
  VkBuffer buffer = VK_NULL_HANDLE;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;

  auto operator<=>(const Binding&) const = default;
  bool operator==(const Binding&) const = default;
};

class Pipelines {
 public:
  /// `cache_file`: where compiled pipelines are kept between runs.
  Pipelines(Gpu& gpu, KeptFile cache_file);
  Pipelines(const Pipelines&) = delete;
  Pipelines& operator=(const Pipelines&) = delete;
  ~Pipelines();

  /// `constants` are numbers 0, 1 … of the module; `subgroup` is how wide its subgroups are to be,
  /// the same for all pipelines of a module, or 0. The result stays where it is.
  const Pipeline& get(std::string_view module, std::span<const std::uint32_t> constants,
                      std::uint32_t n_bindings, std::uint32_t subgroup = 0);

  /// A descriptor set with these bindings, kept for the next time.
  VkDescriptorSet set(std::span<const Binding> bindings);

  /// Forgets all sets: when a buffer that they may name is freed.
  void clear_sets();

 private:
  struct Layouts {
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    VkPipelineLayout pipeline = VK_NULL_HANDLE;
  };
  const Layouts& layouts(std::uint32_t n_bindings);
  VkShaderModule shader(std::string_view module);
  void load_cache();
  void save_cache();

  Gpu& gpu_;
  KeptFile cache_file_;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  bool cache_is_old_ = false;  // pipelines were added since it was read
  std::map<std::uint32_t, Layouts> layouts_;
  std::map<std::string, VkShaderModule, std::less<>> shaders_;
  std::map<std::pair<std::string_view, std::vector<std::uint32_t>>, Pipeline> pipelines_;
  std::vector<VkDescriptorPool> pools_;
  std::uint32_t sets_left_ = 0;  // in the last pool
  std::map<std::vector<Binding>, VkDescriptorSet> sets_;
};

/// Bit i: the module writes to binding i.
std::uint32_t bindings_written_by(std::string_view module);

/// Bytes of a module's SPIR-V. Throws Error on an unknown name.
std::span<const std::uint32_t> shader_code(std::string_view module);

/// Names of all modules.
std::vector<std::string_view> shader_names();

}  // namespace hearth::vulkan

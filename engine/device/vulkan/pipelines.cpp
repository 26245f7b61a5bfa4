#include "engine/device/vulkan/pipelines.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/device/vulkan/hazards.h"
#include "engine/device/vulkan/khr_matrices.h"

namespace hearth::vulkan {

extern "C" {
/// The table that the build makes of shaders/manifest.
struct ShaderModule {
  const char* name;
  const char* first;
  const char* last;  // one past
};
extern const ShaderModule hearth_shader_modules[];
extern const std::uint64_t hearth_shader_module_count;
}

namespace {

constexpr std::uint32_t kSetsPerPool = 512;

std::span<const ShaderModule> modules() {
  return {hearth_shader_modules, static_cast<std::size_t>(hearth_shader_module_count)};
}

}  // namespace

std::span<const std::uint32_t> shader_code(std::string_view name) {
  for (const ShaderModule& module : modules()) {
    if (module.name != name) continue;
    const void* words = module.first;  // aligned to 4 bytes
    return {static_cast<const std::uint32_t*>(words),
            static_cast<std::size_t>(module.last - module.first) / 4};
  }
  throw Error(fmt::format("there is no shader {}", name));
}

std::uint32_t bindings_written_by(std::string_view module) {
  static const std::map<std::string_view, std::uint32_t> kKnown = [] {
    std::map<std::string_view, std::uint32_t> known;
    for (const std::string_view name : shader_names())
      known[name] = written_bindings(shader_code(name));
    return known;
  }();
  return kKnown.at(module);
}

std::vector<std::string_view> shader_names() {
  std::vector<std::string_view> names;
  for (const ShaderModule& module : modules()) names.emplace_back(module.name);
  return names;
}

Pipelines::Pipelines(Gpu& gpu, KeptFile cache_file)
    : gpu_(gpu), cache_file_(std::move(cache_file)) {
  load_cache();
}

Pipelines::~Pipelines() {
  save_cache();
  const DeviceApi& api = gpu_.api();
  VkDevice device = gpu_.device();
  for (const auto& [key, pipeline] : pipelines_)
    api.DestroyPipeline(device, pipeline.handle, nullptr);
  for (const auto& [name, module] : shaders_) api.DestroyShaderModule(device, module, nullptr);
  for (const auto& [n, layouts] : layouts_) {
    api.DestroyPipelineLayout(device, layouts.pipeline, nullptr);
    api.DestroyDescriptorSetLayout(device, layouts.set, nullptr);
  }
  for (VkDescriptorPool pool : pools_) api.DestroyDescriptorPool(device, pool, nullptr);
  api.DestroyPipelineCache(device, cache_, nullptr);
}

// Vulkan checks its own header in the data, but drivers were known to crash on what they had
// written themselves in another version.
void Pipelines::load_cache() {
  const std::string data = cache_file_.read().value_or("");
  auto info = vk_struct<VkPipelineCacheCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO);
  info.initialDataSize = data.size();
  info.pInitialData = data.data();
  check(gpu_.api().CreatePipelineCache(gpu_.device(), &info, nullptr, &cache_),
        "creating a pipeline cache");
}

void Pipelines::save_cache() {
  if (!cache_file_.is_kept() || !cache_is_old_) return;
  std::size_t n = 0;
  if (gpu_.api().GetPipelineCacheData(gpu_.device(), cache_, &n, nullptr) != VK_SUCCESS) return;
  std::string data(n, '\0');
  if (gpu_.api().GetPipelineCacheData(gpu_.device(), cache_, &n, data.data()) != VK_SUCCESS) return;
  data.resize(n);
  cache_file_.write(data);
}

const Pipelines::Layouts& Pipelines::layouts(std::uint32_t n_bindings) {
  const auto found = layouts_.find(n_bindings);
  if (found != layouts_.end()) return found->second;
  std::vector<VkDescriptorSetLayoutBinding> bindings(n_bindings);
  for (std::uint32_t i = 0; i < n_bindings; ++i) {
    bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  }
  Layouts made;
  auto set = vk_struct<VkDescriptorSetLayoutCreateInfo>(
      VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  set.bindingCount = n_bindings;
  set.pBindings = bindings.data();
  check(gpu_.api().CreateDescriptorSetLayout(gpu_.device(), &set, nullptr, &made.set),
        "creating a descriptor layout");
  const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
  auto pipeline =
      vk_struct<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  pipeline.setLayoutCount = 1;
  pipeline.pSetLayouts = &made.set;
  pipeline.pushConstantRangeCount = 1;
  pipeline.pPushConstantRanges = &push;
  check(gpu_.api().CreatePipelineLayout(gpu_.device(), &pipeline, nullptr, &made.pipeline),
        "creating a pipeline layout");
  return layouts_.emplace(n_bindings, made).first->second;
}

VkShaderModule Pipelines::shader(std::string_view module) {
  const auto found = shaders_.find(module);
  if (found != shaders_.end()) return found->second;
  const std::vector<std::uint32_t> code = khr_matrices(shader_code(module));
  auto info = vk_struct<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  info.codeSize = sizeof(std::uint32_t) * code.size();
  info.pCode = code.data();
  VkShaderModule made = VK_NULL_HANDLE;
  check(gpu_.api().CreateShaderModule(gpu_.device(), &info, nullptr, &made),
        fmt::format("loading the shader {}", module));
  shaders_.emplace(module, made);
  return made;
}

const Pipeline& Pipelines::get(std::string_view module, std::span<const std::uint32_t> constants,
                               std::uint32_t n_bindings, std::uint32_t subgroup) {
  const std::pair key(module, std::vector<std::uint32_t>(constants.begin(), constants.end()));
  const auto found = pipelines_.find(key);
  if (found != pipelines_.end()) return found->second;
  HEARTH_CHECK(n_bindings <= kMostBindings);
  std::vector<VkSpecializationMapEntry> entries;
  for (std::uint32_t i = 0; i < constants.size(); ++i) entries.push_back({i, 4 * i, 4});
  const VkSpecializationInfo specialisation = {static_cast<std::uint32_t>(entries.size()),
                                               entries.data(), constants.size_bytes(),
                                               constants.data()};
  auto info =
      vk_struct<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  info.stage = vk_struct<VkPipelineShaderStageCreateInfo>(
      VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO);
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = shader(module);
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &specialisation;
  auto width = vk_struct<VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT>(
      VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT);
  width.requiredSubgroupSize = subgroup;
  if (subgroup > 0) {
    info.stage.pNext = &width;
    info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT_EXT;
  }
  info.layout = layouts(n_bindings).pipeline;
  Pipeline made{.layout = info.layout, .n_bindings = n_bindings};
  check(gpu_.api().CreateComputePipelines(gpu_.device(), cache_, 1, &info, nullptr, &made.handle),
        fmt::format("compiling the shader {} for {}", module, gpu_.info().name));
  cache_is_old_ = true;
  // The name is kept where it lives as long as this object.
  const std::string_view kept = shaders_.find(module)->first;
  made.module = kept;
  return pipelines_.emplace(std::pair(kept, key.second), made).first->second;
}

VkDescriptorSet Pipelines::set(std::span<const Binding> bindings) {
  std::vector<Binding> key(bindings.begin(), bindings.end());
  const auto found = sets_.find(key);
  if (found != sets_.end()) return found->second;
  const DeviceApi& api = gpu_.api();
  if (sets_left_ == 0) {
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                       kSetsPerPool * kMostBindings};
    auto info =
        vk_struct<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
    info.maxSets = kSetsPerPool;
    info.poolSizeCount = 1;
    info.pPoolSizes = &size;
    pools_.emplace_back();
    check(api.CreateDescriptorPool(gpu_.device(), &info, nullptr, &pools_.back()),
          "creating a descriptor pool");
    sets_left_ = kSetsPerPool;
  }
  const auto n = static_cast<std::uint32_t>(key.size());
  auto info =
      vk_struct<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  info.descriptorPool = pools_.back();
  info.descriptorSetCount = 1;
  info.pSetLayouts = &layouts(n).set;
  VkDescriptorSet made = VK_NULL_HANDLE;
  check(api.AllocateDescriptorSets(gpu_.device(), &info, &made), "allocating a descriptor set");
  --sets_left_;
  std::vector<VkDescriptorBufferInfo> buffers(n);
  std::vector<VkWriteDescriptorSet> writes(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    buffers[i] = {key[i].buffer, key[i].offset, key[i].bytes};
    writes[i] = vk_struct<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    writes[i].dstSet = made;
    writes[i].dstBinding = i;
    writes[i].descriptorCount = 1;
    writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[i].pBufferInfo = &buffers[i];
  }
  api.UpdateDescriptorSets(gpu_.device(), n, writes.data(), 0, nullptr);
  sets_.emplace(std::move(key), made);
  return made;
}

void Pipelines::clear_sets() {
  for (VkDescriptorPool pool : pools_)
    gpu_.api().DestroyDescriptorPool(gpu_.device(), pool, nullptr);
  pools_.clear();
  sets_.clear();
  sets_left_ = 0;
}

}  // namespace hearth::vulkan

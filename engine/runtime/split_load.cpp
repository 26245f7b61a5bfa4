#include "engine/runtime/split_load.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/device/cpu/memory_rules.h"

namespace hearth {
namespace {

void note(const LoadOptions& options, const std::string& text) {
  if (options.note) options.note(text);
}

int layers_asked_for(const Planner& planner, const LoadPlan& plan, const Offload& offload) {
  if (offload.layers == Offload::kAll) return planner.n_layer();
  if (offload.layers == Offload::kAsFits)
    return planner.most_layers(plan.shape, *plan.rules, plan.budget_bytes);
  if (offload.layers >= 0 && offload.layers <= planner.n_layer()) return offload.layers;
  throw Error(Error::Parts{.where = "-ngl",
                           .what = "the model does not have so many layers",
                           .expected = fmt::format("0 to {}, all or auto", planner.n_layer()),
                           .got = fmt::format("{}", offload.layers)});
}

[[noreturn]] void throw_does_not_fit(const Planner& planner, const LoadPlan& plan) {
  throw OutOfDeviceMemory(Error::Parts{
      .where = plan.gpu.name,
      .what = advice(planner, plan.n_gpu_layers, plan.shape, *plan.rules, plan.budget_bytes),
      .expected = {},
      .got = {}});
}

/// The GPU with all memory that the plan needs. Where as much was asked for as fits, and the driver
/// has less than it said, with fewer layers; nullptr if not even one fits.
std::unique_ptr<VulkanDevice> reserve_gpu(const Planner& planner, LoadPlan& plan,
                                          const Offload& offload) {
  const bool may_shrink = offload.layers == Offload::kAsFits;
  for (; plan.n_gpu_layers > 0; --plan.n_gpu_layers) {
    const DeviceShare share = planner.gpu_share(plan.n_gpu_layers, plan.shape, *plan.rules);
    if (share.allocated > plan.budget_bytes) throw_does_not_fit(planner, plan);
    try {
      std::unique_ptr<VulkanDevice> gpu = open_vulkan_device(offload.gpu);
      gpu->reserve({.pieces = share.pieces,
                    .host_pieces = share.host_pieces,
                    .n_ubatch = plan.shape.n_ubatch});
      return gpu;
    } catch (const OutOfDeviceMemory& error) {
      if (may_shrink) continue;
      throw OutOfDeviceMemory(
          Error::Parts{.where = plan.gpu.name,
                       .what = fmt::format("{} of {} layers and a context of {} need {} bytes, and "
                                           "the driver has less than it said: {}; -ngl auto "
                                           "takes as many layers as it has room for",
                                           plan.n_gpu_layers, planner.n_layer(), plan.shape.n_ctx,
                                           share.allocated, error.parts().what),
                       .expected = {},
                       .got = {}});
    }
  }
  return nullptr;
}

/// Tells of shaders that should be used and are not.
void note_tiers(const VulkanDevice& gpu, const LoadOptions& options) {
  for (const VulkanTier& tier : gpu.tiers()) {
    if (!tier.is_unexpected) continue;
    note(options, fmt::format("{}: the shaders of the tier {} are not used: {}", gpu.info().name,
                              tier.name, tier.why_off));
  }
}

Placement split_placement(Device& cpu, Device* gpu, const Split& split) {
  Placement placement = all_on(cpu, split.n_layer);
  if (!gpu) return placement;
  for (int il = split.first_gpu_layer(); il < split.n_layer; ++il)
    placement.layers[static_cast<std::size_t>(il)] = gpu;
  placement.output = gpu;
  return placement;
}

/// All of the model on the CPU, when the GPU is lost.
struct Refuge {
  std::unique_ptr<Device> device;
  Model model;
};

Context::Rebuild rebuild_on_cpu(const gguf::Reader& file, const LoadOptions& options,
                                QuantType kv_type) {
  return [&file, options, kv_type,
          refuge = std::make_shared<Refuge>()](const std::string& what_happened) -> const Model& {
    note(options, fmt::format("{}; going on with all layers on the CPU", what_happened));
    refuge->device = make_host_device(options);
    const Family& family = family_of(file);
    HParams hparams = read_hparams(file, family);
    const Placement placement = all_on(*refuge->device, hparams.n_layer);
    refuge->model = load_model(file, family, std::move(hparams), placement);
    refuge->model.kv_type = kv_type;
    return refuge->model;
  };
}

/// `of_gpu`: bytes of it that the GPU will take for itself.
void check_host_memory(const Planner& planner, const LoadPlan& plan, const LoadOptions& options,
                       const gguf::Reader& file, std::uint64_t of_gpu) {
  const std::uint64_t needed =
      of_gpu +
      planner.cpu_share(plan.n_gpu_layers, plan.shape, *cpu_memory_rules(options.repack)).allocated;
  require_memory(needed, options, file,
                 "the layers that stay on the CPU need more memory than there is; more on the GPU "
                 "(-ngl) or a smaller context (-c) need less");
}

}  // namespace

LoadPlan plan_load(const gguf::Reader& file, const LoadOptions& options) {
  const Planner planner(file);
  LoadPlan plan;
  plan.shape.n_ctx = context_size(planner.hparams(), family_of(file), options, file);
  const std::int64_t most_tokens = static_cast<std::int64_t>(plan.shape.n_ctx) * options.n_slots;
  plan.shape.n_ubatch =
      static_cast<int>(std::clamp<std::int64_t>(options.n_ubatch, 1, most_tokens));
  plan.shape.n_slots = options.n_slots;
  plan.shape.kv_type = options.kv_type.value_or(usual_kv_type(file));
  if (options.offload.layers == 0) return plan;
  plan.gpu = choose_vulkan_device(list_vulkan_devices(), options.offload.gpu.device);
  plan.rules = vulkan_memory_rules(plan.gpu, options.offload.gpu);
  plan.budget_bytes =
      options.offload.budget_bytes > 0 ? options.offload.budget_bytes : plan.gpu.free_bytes;
  plan.n_gpu_layers = layers_asked_for(planner, plan, options.offload);
  return plan;
}

ModelBundle load_split(const gguf::Reader& file, const LoadOptions& options) {
  const Planner planner(file);
  LoadPlan plan = plan_load(file, options);
  ModelBundle bundle;
  const DeviceShare share = planner.gpu_share(plan.n_gpu_layers, plan.shape, *plan.rules);
  check_host_memory(planner, plan, options, file, share.host_allocated);
  bundle.gpu = reserve_gpu(planner, plan, options.offload);
  if (bundle.gpu) note_tiers(*bundle.gpu, options);
  if (options.offload.layers == Offload::kAsFits) {
    note(options, fmt::format("{} of {} layers fit {}", plan.n_gpu_layers, planner.n_layer(),
                              plan.gpu.name));
  }
  check_host_memory(planner, plan, options, file, 0);  // it may have got fewer layers
  bundle.device = make_host_device(options);
  const Family& family = family_of(file);
  const Placement placement =
      split_placement(*bundle.device, bundle.gpu.get(), {planner.n_layer(), plan.n_gpu_layers});
  bundle.model = std::make_unique<Model>(
      load_model(file, family, planner.hparams(), placement, options.progress));
  bundle.model->kv_type = plan.shape.kv_type;
  bundle.context = std::make_unique<Context>(*bundle.model, plan.shape.n_ctx, plan.shape.n_ubatch,
                                             plan.shape.n_slots);
  if (bundle.gpu) bundle.context->set_rebuild(rebuild_on_cpu(file, options, plan.shape.kv_type));
  return bundle;
}

}  // namespace hearth

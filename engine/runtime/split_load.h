// Loading a model whose last layers lie on a GPU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/runtime/context.h"
#include "engine/runtime/plan.h"

namespace hearth {

/// What a load will put where.
struct LoadPlan {
  PlanShape shape;
  int n_gpu_layers = 0;
  std::unique_ptr<MemoryRules> rules;  // of the GPU; none where none is asked for
  VulkanDeviceInfo gpu;
  std::uint64_t budget_bytes = 0;  // of its memory
};

/// Works out options.offload: which GPU, how many layers. Throws Error when there is no such GPU,
/// or the model has not so many layers; not when they do not fit.
LoadPlan plan_load(const gguf::Reader& file, const LoadOptions& options);

/// load_model() with layers on a GPU. All of its memory is taken before any weight is read. When
/// the GPU is lost, the context goes on with all layers on the CPU, and options.note hears of it.
ModelBundle load_split(const gguf::Reader& file, const LoadOptions& options);

/// The device that options.device names.
std::unique_ptr<Device> make_host_device(const LoadOptions& options);

/// The context that `options` ask for. Throws Error when the model's positions end before.
int context_size(const HParams& hparams, const Family& family, const LoadOptions& options,
                 const gguf::Reader& file);

/// Throws Error with `complaint` where `needed` bytes are more than there are.
void require_memory(std::uint64_t needed, const LoadOptions& options, const gguf::Reader& file,
                    const std::string& complaint);

}  // namespace hearth

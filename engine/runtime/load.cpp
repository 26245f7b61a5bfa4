// From an open file to a model that can be run: device, checks of memory, context.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "base/control_groups.h"
#include "base/error.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/cpu/memory_rules.h"
#include "engine/device/reference_device.h"
#include "engine/runtime/context.h"
#include "engine/runtime/split_load.h"

namespace hearth {
namespace {

/// The number after `key` in a file of "key value" lines; none if there is no such line.
std::uint64_t number_after(const char* path, std::string_view key, std::uint64_t none) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    std::uint64_t number = 0;
    if (word == key && file >> number) return number;
  }
  return none;
}

}  // namespace

std::unique_ptr<Device> make_host_device(const LoadOptions& options) {
  if (options.device == LoadOptions::On::reference) return std::make_unique<ReferenceDevice>();
  return std::make_unique<CpuDevice>(CpuOptions{.n_threads = options.n_threads,
                                                .repack = options.repack,
                                                .pin = options.pin,
                                                .blas = options.blas});
}

int context_size(const HParams& hparams, const Family& family, const LoadOptions& options,
                 const gguf::Reader& file) {
  if (options.n_ctx == 0) return std::min(hparams.n_ctx_train, options.usual_ctx);
  const bool ends = family.position == Position::learned && options.n_ctx > hparams.n_ctx_train;
  if (!ends) return options.n_ctx;
  throw Error(Error::Parts{.where = file.name(),
                           .what = "the model knows no positions past its own context",
                           .expected = fmt::format("-c {} or less", hparams.n_ctx_train),
                           .got = fmt::format("{}", options.n_ctx)});
}

void require_memory(std::uint64_t needed, const LoadOptions& options, const gguf::Reader& file,
                    const std::string& complaint) {
  const std::uint64_t available = options.available_memory();
  if (needed <= available) return;
  constexpr double kMiB = 1024.0 * 1024.0;
  throw Error(Error::Parts{
      .where = file.name(),
      .what = complaint,
      .expected = fmt::format("at most {:.0f} MiB", static_cast<double>(available) / kMiB),
      .got = fmt::format("{:.0f} MiB", static_cast<double>(needed) / kMiB)});
}

namespace {

/// Weights are copied into the kernels' layout; in the file's map they would cost nothing that the
/// system could not take back.
void check_weights_memory(const LoadOptions& options, const gguf::Reader& file) {
  if (options.device != LoadOptions::On::cpu || !options.repack) return;
  std::uint64_t needed = 0;
  for (const gguf::Tensor& tensor : file.tensors()) needed += tensor.data.size();
  require_memory(needed, options, file,
                 "the weights need more memory than there is; a smaller quant type needs less, and "
                 "--no-repack runs from the file, slowly");
}

/// What is needed beside the weights.
void check_memory(const Model& model, int n_ctx, int n_ubatch, const LoadOptions& options,
                  const gguf::Reader& file) {
  const KvShape kv = kv_shape(model, *model.placement.output, {n_ctx, n_ubatch, options.n_slots});
  const bool is_reference = options.device == LoadOptions::On::reference;
  std::uint64_t needed =
      is_reference ? kv.bytes() : cpu_memory_rules(options.repack)->kv_cache(kv).at(0);
  for (const ScratchSize& size : scratch_sizes(model.hparams, n_ubatch, true)) {
    needed += sizeof(float) * static_cast<std::uint64_t>(size.rows) *
              static_cast<std::uint64_t>(size.columns);
  }
  require_memory(
      needed, options, file,
      fmt::format("a context of {} tokens needs more memory than there is; a smaller one "
                  "(-c) needs less",
                  n_ctx));
}

}  // namespace

std::uint64_t available_memory() {
  constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t kib = number_after("/proc/meminfo", "MemAvailable:", kNoLimit / 1024);
  return std::min(kib * 1024, memory_quota_left().value_or(kNoLimit));
}

int context_for(const gguf::Reader& file, std::size_t n_tokens) {
  constexpr int kStep = 256;
  const Family& family = family_of(file);
  const HParams hparams = read_hparams(file, family);
  const int tokens = static_cast<int>(std::min<std::size_t>(n_tokens, 1U << 28));
  const int rounded = (tokens + kStep - 1) / kStep * kStep;
  const bool ends = family.position == Position::learned;
  return std::max(tokens, ends ? std::min(rounded, hparams.n_ctx_train) : rounded);
}

QuantType usual_kv_type(const gguf::Reader& file) {
  const auto tensors = file.tensors();
  const bool is_exact = std::all_of(tensors.begin(), tensors.end(), [](const gguf::Tensor& tensor) {
    return tensor.n_dims < 2 || tensor.type == QuantType::F32;
  });
  return is_exact ? QuantType::F32 : QuantType::F16;
}

ModelBundle load_model(const gguf::Reader& file, const LoadOptions& options) {
  if (options.offload.layers != 0) return load_split(file, options);
  check_weights_memory(options, file);
  return load_model_on(make_host_device(options), file, options);
}

ModelBundle load_model_on(std::unique_ptr<Device> device, const gguf::Reader& file,
                          const LoadOptions& options) {
  const Family& family = family_of(file);
  HParams hparams = read_hparams(file, family);
  const int n_ctx = context_size(hparams, family, options, file);
  const std::int64_t most_tokens = static_cast<std::int64_t>(n_ctx) * options.n_slots;
  const auto n_ubatch =
      static_cast<int>(std::clamp<std::int64_t>(options.n_ubatch, 1, most_tokens));
  ModelBundle bundle;
  bundle.device = std::move(device);
  const Placement placement = all_on(*bundle.device, hparams.n_layer);
  bundle.model = std::make_unique<Model>(
      load_model(file, family, std::move(hparams), placement, options.progress));
  const bool is_reference = options.device == LoadOptions::On::reference;
  bundle.model->kv_type =
      is_reference ? QuantType::F32 : options.kv_type.value_or(usual_kv_type(file));
  check_memory(*bundle.model, n_ctx, n_ubatch, options, file);
  bundle.context = std::make_unique<Context>(*bundle.model, n_ctx, n_ubatch, options.n_slots);
  return bundle;
}

}  // namespace hearth

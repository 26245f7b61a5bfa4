#include "tools/cli/engine_options.h"

#include <charconv>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/runtime/plan.h"
#include "tools/cli/command_line.h"
#include "tools/cli/model_option.h"
#include "tools/cli/progress_bar.h"

namespace hearth::cli {

namespace {

/// "12", "all" or "auto".
int gpu_layers_of(const std::string& text) {
  if (text == "all") return Offload::kAll;
  if (text == "auto") return Offload::kAsFits;
  int layers = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layers);
  if (error == std::errc() && end == text.data() + text.size() && layers >= 0) return layers;
  throw Error(Error::Parts{.where = "-ngl",
                           .what = "not a number of layers",
                           .expected = "0, 1 … or all, auto",
                           .got = text});
}

}  // namespace

void add_engine_options(Command& command, EngineOptions& options) {
  add_model_option(command, options.model);
  add_threads_option(command, options.n_threads);
  command.option("-c,--ctx", options.n_ctx, "context size in tokens").range(1, 1 << 28);
  command.option("--ubatch", options.n_ubatch, "tokens per micro-batch")
      .range(1, 1 << 16)
      .shows_default();
  command.flag("--no-repack", options.no_repack,
               "compute with the weights as they lie in the file: less memory, slower");
  command.flag("--pin", options.pin,
               "keep each thread on a CPU of its own: for a machine that does nothing else");
  command.choice(
      "--blas", options.blas,
      {{"auto", UseBlas::automatic}, {"on", UseBlas::on}, {"off", UseBlas::off}},
      "OpenBLAS for float weights and many tokens: on, auto (where it is there and faster), or off "
      "(default: equal bits whatever the batch)");
  std::vector<std::pair<std::string, std::optional<QuantType>>> kv_types = {{"auto", {}}};
  for (const KvTypeName& row : kKvTypeNames) kv_types.emplace_back(row.name, row.type);
  command.choice(
      "--kv-type", options.kv_type, kv_types,
      "how keys and values are stored (default: auto, which is f16, or f32 where the weights are)");
  command
      .option("--device", options.device,
              "cpu; reference: slow, and the truth; gpu, or a GPU by index, name or UUID "
              "(hearth doctor lists "
              "them): all layers on it unless -ngl says how many")
      .type("cpu|reference|gpu|INDEX|NAME|UUID")
      .shows_default();
  command.flag(
      "--reference", [&options] { options.device = "reference"; },
      "the same as --device reference");
  command
      .option(
          "--ngl,--gpu-layers",
          [&options](const std::string& text) { options.gpu_layers = gpu_layers_of(text); },
          "how many of the last layers the GPU has; auto: as many as fit (default: none, or all "
          "with --device)")
      .type("N|all|auto");
  command.choice("--kv-device", options.kv_on_host, {{"gpu", false}, {"cpu", true}},
                 "whose memory has the keys and values of the GPU's layers: gpu (default), or cpu: "
                 "the GPU reads them over its bus, slower, and has room for more layers");
  command.flag(
      "--profile", options.profile,
      "run, bench: how long each op took on the GPU; slower, as the ops wait for each other");
}

void print_profile(const ModelBundle& bundle) {
  if (!bundle.gpu) return;
  const std::vector<VulkanOpTime> times = bundle.gpu->take_profile();
  if (times.empty()) return;
  std::fprintf(stderr, "%-14s %9s %12s %10s %8s\n", "on the GPU", "times", "ms in all", "us each",
               "GB/s");
  for (const VulkanOpTime& time : times) {
    std::fprintf(stderr, "%-14s %9llu %12.2f %10.1f %8.1f\n", time.op.c_str(),
                 static_cast<unsigned long long>(time.count), 1e3 * time.seconds,
                 1e6 * time.seconds / static_cast<double>(time.count),
                 static_cast<double>(time.bytes) / time.seconds * 1e-9);
  }
}

LoadOptions load_options(const EngineOptions& options) {
  LoadOptions load = {.n_threads = options.n_threads,
                      .n_ctx = options.n_ctx,
                      .usual_ctx = options.usual_ctx,
                      .n_ubatch = options.n_ubatch,
                      .n_slots = options.n_slots,
                      .repack = !options.no_repack,
                      .pin = options.pin,
                      .blas = options.blas,
                      .kv_type = options.kv_type};
  const bool on_host = options.device == "cpu" || options.device == "reference";
  if (options.device == "reference") load.device = LoadOptions::On::reference;
  load.offload.layers = options.gpu_layers.value_or(on_host ? 0 : Offload::kAll);
  if (!on_host && options.device != "gpu") load.offload.gpu.device = options.device;
  load.offload.gpu.kv_on_host = options.kv_on_host;
  load.offload.gpu.profile = options.profile;
  load.note = [](const std::string& text) { std::fprintf(stderr, "hearth: %s\n", text.c_str()); };
  if (options.device != "reference" || load.offload.layers == 0) return load;
  throw Error(Error::Parts{.where = "-ngl",
                           .what = "the reference device shares layers with no GPU",
                           .expected = "0",
                           .got = {}});
}

ModelBundle load_with(const gguf::Reader& file, const EngineOptions& options) {
  ProgressBar bar("loading");
  LoadOptions load = load_options(options);
  load.progress = bar.progress();
  return load_model(file, load);
}

ModelBundle load_generator(const gguf::Reader& file, const EngineOptions& options) {
  ModelBundle model = load_with(file, options);
  if (model.model->hparams.causal) return model;
  throw Error(Error::Parts{.where = file.name(),
                           .what = "is an encoder: it makes embeddings of text and cannot write",
                           .expected = "a model that generates text",
                           .got = {}});
}

}  // namespace hearth::cli

#include "tools/cli/engine_options.h"

#include <charconv>
#include <cstdio>
#include <map>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "engine/runtime/plan.h"
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

void add_engine_options(CLI::App& command, EngineOptions& options) {
  add_model_option(command, options.model);
  command.add_option("-t,--threads", options.n_threads, "threads (default: one per physical core)")
      ->check(CLI::Range(1, 1024));
  command.add_option("-c,--ctx", options.n_ctx, "context size in tokens")
      ->check(CLI::Range(1, 1 << 28));
  command.add_option("--ubatch", options.n_ubatch, "tokens per micro-batch")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command.add_flag("--no-repack", options.no_repack,
                   "compute with the weights as they lie in the file: less memory, slower");
  command.add_flag("--pin", options.pin,
                   "keep each thread on a CPU of its own: for a machine that does nothing else");
  const std::map<std::string, UseBlas> blas_uses = {
      {"off", UseBlas::off}, {"auto", UseBlas::automatic}, {"on", UseBlas::on}};
  command
      .add_option("--blas", options.blas,
                  "OpenBLAS for float weights and many tokens: on, auto (where it is there and "
                  "faster), or off (default: equal bits whatever the batch)")
      ->transform(CLI::CheckedTransformer(blas_uses))
      ->type_name("auto|on|off");
  std::map<std::string, std::optional<QuantType>> kv_types = {{"auto", {}}};
  for (const KvTypeName& row : kKvTypeNames) kv_types[std::string(row.name)] = row.type;
  command
      .add_option_function<std::string>(
          "--kv-type",
          [&options, kv_types](const std::string& name) { options.kv_type = kv_types.at(name); },
          "how keys and values are stored (default: auto, which is f16, or f32 where the weights "
          "are)")
      ->check(CLI::IsMember(kv_types))
      ->type_name("auto|f32|f16|q8_0");
  command
      .add_option("--device", options.device,
                  "cpu; reference: slow, and the truth; gpu, or a GPU by index, name or UUID "
                  "(hearth doctor lists "
                  "them): all layers on it unless -ngl says how many")
      ->type_name("cpu|reference|gpu|INDEX|NAME|UUID")
      ->capture_default_str();
  command.add_flag_callback(
      "--reference", [&options] { options.device = "reference"; },
      "the same as --device reference");
  command
      .add_option_function<std::string>(
          "--ngl,--gpu-layers",
          [&options](const std::string& text) { options.gpu_layers = gpu_layers_of(text); },
          "how many of the last layers the GPU has; auto: as many as fit (default: none, or all "
          "with --device)")
      ->type_name("N|all|auto");
  const std::map<std::string, bool> kv_devices = {{"gpu", false}, {"cpu", true}};
  command
      .add_option(
          "--kv-device", options.kv_on_host,
          "whose memory has the keys and values of the GPU's layers: gpu (default), or cpu: "
          "the GPU reads them over its bus, slower, and has room for more layers")
      ->transform(CLI::CheckedTransformer(kv_devices))
      ->type_name("gpu|cpu");
  command.add_flag(
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

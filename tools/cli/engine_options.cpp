#include "tools/cli/engine_options.h"

#include <map>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "tools/cli/model_option.h"
#include "tools/cli/progress_bar.h"

namespace hearth::cli {

namespace {

// What was asked for and cannot be had is an error, never a silent fallback.
void refuse_gpu_layers(const std::string& layers) {
  if (layers == "0") return;
  throw Error(Error::Parts{.where = "-ngl",
                           .what = "this version of Hearth runs on the CPU only",
                           .expected = "0",
                           .got = layers});
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
  const std::map<std::string, std::optional<QuantType>> kv_types = {
      {"auto", {}}, {"f32", QuantType::F32}, {"f16", QuantType::F16}, {"q8_0", QuantType::Q8_0}};
  command
      .add_option_function<std::string>(
          "--kv-type",
          [&options, kv_types](const std::string& name) { options.kv_type = kv_types.at(name); },
          "how keys and values are stored (default: auto, which is f16, or f32 where the weights "
          "are)")
      ->check(CLI::IsMember({"auto", "f32", "f16", "q8_0"}))
      ->type_name("auto|f32|f16|q8_0");
  const std::map<std::string, LoadOptions::On> devices = {
      {"cpu", LoadOptions::On::cpu}, {"reference", LoadOptions::On::reference}};
  command.add_option("--device", options.device, "cpu, or reference: slow, and the truth")
      ->transform(CLI::CheckedTransformer(devices))
      ->type_name("cpu|reference");
  command.add_flag_callback(
      "--reference", [&options] { options.device = LoadOptions::On::reference; },
      "the same as --device reference");
  command
      .add_option_function<std::string>("--ngl,--gpu-layers", refuse_gpu_layers,
                                        "layers on the GPU: none yet in this version")
      ->type_name("N");
}

ModelBundle load_with(const gguf::Reader& file, const EngineOptions& options) {
  ProgressBar bar("loading");
  return load_model(file, {.device = options.device,
                           .n_threads = options.n_threads,
                           .n_ctx = options.n_ctx,
                           .usual_ctx = options.usual_ctx,
                           .n_ubatch = options.n_ubatch,
                           .n_slots = options.n_slots,
                           .repack = !options.no_repack,
                           .pin = options.pin,
                           .blas = options.blas,
                           .kv_type = options.kv_type,
                           .progress = bar.progress()});
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

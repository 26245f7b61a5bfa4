// hearth bench: how fast a model is on this machine, beside what the machine can do.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/output_file.h"
#include "engine/device/cpu/isa.h"
#include "engine/measure/model_bench.h"
#include "tools/cli/bench_output.h"
#include "tools/cli/bench_svg.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/engine_options.h"
#include "tools/cli/model_option.h"
#include "tools/cli/progress_bar.h"

namespace hearth::cli {
namespace {

struct Options {
  EngineOptions engine;
  BenchOptions bench;
  std::string svg;
  bool json = false;
};

const char* blas_name(UseBlas use) {
  if (use == UseBlas::off) return "off";
  return use == UseBlas::on ? "on" : "auto";
}

void write_svg(const std::string& path, const BenchSubject& subject, const BenchReport& report) {
  const std::string picture = bench_svg(subject, report);
  OutputFile out(path);
  out.write(std::as_bytes(std::span(picture)));
  out.commit();
}

std::string device_name(const ModelBundle& bundle) {
  if (!bundle.gpu) return bundle.device->name();
  const auto& layers = bundle.model->placement.layers;
  return fmt::format("{} of {} layers on {}",
                     std::count(layers.begin(), layers.end(), bundle.gpu.get()), layers.size(),
                     bundle.gpu->name());
}

void run(Options options) {
  const auto start = std::chrono::steady_clock::now();
  const gguf::Reader file = open_model(options.engine.model);
  if (options.engine.n_ctx == 0) options.engine.n_ctx = bench_context(options.bench);
  options.engine.n_slots = options.bench.n_batch;
  ModelBundle bundle = load_with(file, options.engine);
  const std::chrono::duration<double> load_time = std::chrono::steady_clock::now() - start;

  CeilingMeter meter(options.engine.n_threads);
  BenchReport report;
  {
    ProgressBar bar("measuring");
    report = bench_model(file, bundle, meter, options.bench, bar.progress());
  }
  BenchSubject subject = {
      .model = std::filesystem::path(model_name(options.engine.model)).filename().string(),
      .device = device_name(bundle),
      .isa = std::string(chosen_level().name),
      .n_threads = meter.n_threads(),
      .n_ubatch = bundle.context->n_ubatch(),
      .repack = !options.engine.no_repack,
      .kv_type = std::string(quant_type_info(bundle.model->kv_type).name),
      .blas = blas_name(options.engine.blas),
      .file_bytes = file.file_bytes(),
      .load_seconds = load_time.count(),
      .options = options.bench};
  if (bundle.gpu) subject.gpu_copy = bundle.gpu->copy_bandwidth();
  print_profile(bundle);
  if (!options.svg.empty()) write_svg(options.svg, subject, report);
  const auto print = options.json ? print_bench_json : print_bench_text;
  print(stdout, subject, report);
}

}  // namespace

void add_bench(CommandLine& line) {
  Command command =
      line.command("bench", "Measure prefill and decode speed, beside what this machine can do");
  const auto options = std::make_shared<Options>();
  BenchOptions& bench = options->bench;
  add_engine_options(command, options->engine);
  command.option("-p,--prompt", bench.n_prompt, "tokens of a prompt; 0: no prefill")
      .range(0, 1 << 20)
      .shows_default();
  command.option("-n,--decode", bench.n_decode, "steps of decoding; 0: none")
      .range(0, 1 << 20)
      .shows_default();
  command.option("--depth", bench.depths, "tokens that are there before; several allowed")
      .range(0, 1 << 24)
      .shows_default();
  command.option("--batch", bench.n_batch, "sequences that decode at once")
      .range(1, 1024)
      .shows_default();
  command.option("-r,--rounds", bench.rounds, "measurements of each, of which the median counts")
      .range(1, 1000)
      .shows_default();
  command.option("--seed", bench.seed, "of the random tokens").shows_default();
  command.option("--svg", options->svg, "write a picture of the results under the ceilings");
  command.flag("--json", options->json, "print for machines");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli

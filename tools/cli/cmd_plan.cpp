// hearth plan: what a model takes of each device's memory, to the byte, and what would fit. Nothing
// is loaded.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/device/cpu/memory_rules.h"
#include "engine/runtime/plan.h"
#include "engine/runtime/split_load.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/engine_options.h"
#include "tools/cli/model_option.h"
#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  EngineOptions engine;
  bool json = false;
};

/// A device's share, and the memory that it has for it.
struct Column {
  std::string name;
  DeviceShare share;
  std::uint64_t free_bytes;
};

/// What else would fit the GPU.
struct Fits {
  int most_layers = 0;
  int largest_context = 0;
  std::optional<KvTypeName> smaller_kv_type;  // where it does not fit, a type that would
};

Json as_json(const Column& column) {
  Json classes = Json::object();
  for (const MemoryClass& c : column.share.classes) classes[c.name] = c.bytes;
  return {{"name", column.name},
          {"classes", classes},
          {"allocated_bytes", column.share.allocated},
          {"host_bytes", column.share.host_allocated},
          {"free_bytes", column.free_bytes},
          {"fits", column.share.allocated <= column.free_bytes}};
}

void print_text(const Column& column) {
  fmt::print("{}\n", column.name);
  for (const MemoryClass& c : column.share.classes)
    fmt::print("  {:<24} {:>16} bytes\n", c.name, c.bytes);
  fmt::print("  {:<24} {:>16} bytes, {} of {} that are free{}\n", "in all", column.share.allocated,
             bytes_text(column.share.allocated), bytes_text(column.free_bytes),
             column.share.allocated <= column.free_bytes ? "" : ": does not fit");
  if (column.share.host_allocated > 0) {
    fmt::print("  {:<24} {:>16} bytes, of the host's memory\n", "KV cache",
               column.share.host_allocated);
  }
}

void run(const Options& options) {
  const gguf::Reader file = open_model(options.engine.model);
  const Planner planner(file);
  const LoadPlan plan = plan_load(file, load_options(options.engine));
  std::vector<Column> columns = {{"cpu",
                                  planner.cpu_share(plan.n_gpu_layers, plan.shape,
                                                    *cpu_memory_rules(!options.engine.no_repack)),
                                  available_memory()}};
  Fits fits;
  if (plan.rules) {
    columns.push_back({fmt::format("vulkan:{} ({})", plan.gpu.index, plan.gpu.name),
                       planner.gpu_share(plan.n_gpu_layers, plan.shape, *plan.rules),
                       plan.budget_bytes});
    fits.most_layers = planner.most_layers(plan.shape, *plan.rules, plan.budget_bytes);
    fits.largest_context = planner.largest_context(
        std::max(plan.n_gpu_layers, 1), plan.shape, *plan.rules, plan.budget_bytes,
        std::max(planner.hparams().n_ctx_train, plan.shape.n_ctx));
    if (columns.back().share.allocated <= plan.budget_bytes)
      fits.largest_context = std::max(fits.largest_context, plan.shape.n_ctx);
    if (columns.back().share.allocated > plan.budget_bytes) {
      fits.smaller_kv_type =
          planner.smaller_kv_type(plan.n_gpu_layers, plan.shape, *plan.rules, plan.budget_bytes);
    }
  }
  const std::string kv_type(quant_type_info(plan.shape.kv_type).name);
  if (options.json) {
    Json json = {{"model", model_name(options.engine.model)},
                 {"context", plan.shape.n_ctx},
                 {"ubatch", plan.shape.n_ubatch},
                 {"kv_type", kv_type},
                 {"layers", planner.n_layer()},
                 {"gpu_layers", plan.n_gpu_layers},
                 {"devices", Json::array()}};
    for (const Column& column : columns) json["devices"].push_back(as_json(column));
    if (plan.rules)
      json["fits"] = {{"most_gpu_layers", fits.most_layers},
                      {"largest_context", fits.largest_context}};
    if (fits.smaller_kv_type) json["fits"]["kv_type"] = fits.smaller_kv_type->name;
    fmt::print("{}\n", json.dump(2));
    return;
  }
  fmt::print("{} of {} layers on the GPU, a context of {}, keys and values as {}\n",
             plan.n_gpu_layers, planner.n_layer(), plan.shape.n_ctx, kv_type);
  for (const Column& column : columns) print_text(column);
  if (plan.rules) {
    fmt::print(
        "The GPU has room for {} layers with this context, and for a context of {} with these "
        "layers.\n",
        fits.most_layers, fits.largest_context);
    if (fits.smaller_kv_type)
      fmt::print("As asked for, it fits with --kv-type {}.\n", fits.smaller_kv_type->name);
  }
}

}  // namespace

void add_plan(CommandLine& line) {
  Command command = line.command(
      "plan",
      "What a model takes of each device's memory, to the byte, before it is loaded; what fits");
  const auto options = std::make_shared<Options>();
  add_engine_options(command, options->engine);
  command.flag("--json", options->json, "print for machines");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli

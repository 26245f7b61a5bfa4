#include "engine/runtime/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/model/forward.h"
#include "engine/model/model.h"
#include "engine/model/tensor_rules.h"

namespace hearth {
namespace {

constexpr int kContextStep = 256;
constexpr double kMiB = 1024.0 * 1024.0;

/// Kinds of tensors by a part of their name, the first that matches.
struct KindRow {
  std::string_view part;
  std::string_view kind;
};

constexpr KindRow kKinds[] = {
    {"token_embd.", "embedding"}, {"position_embd.", "embedding"}, {"token_types.", "embedding"},
    {"_exps.", "experts"},        {"ffn_", "feed-forward"},        {"attn_", "attention"},
    {"output.", "head"},
};

std::string kind_of(std::string_view name, bool is_matrix) {
  if (!is_matrix) return "norms and biases";
  for (const KindRow& row : kKinds) {
    if (name.find(row.part) != std::string_view::npos) return std::string(row.kind);
  }
  return "other weights";
}

/// Collects the pieces of a share and sums them by class.
class Tally {
 public:
  void add(const std::string& kind, const std::vector<std::uint64_t>& pieces) {
    if (pieces.empty()) return;
    const auto same = [&](const MemoryClass& c) { return c.name == kind; };
    auto found = std::find_if(share_.classes.begin(), share_.classes.end(), same);
    if (found == share_.classes.end()) found = share_.classes.insert(found, {kind, 0});
    for (const std::uint64_t bytes : pieces) found->bytes += bytes;
    share_.pieces.insert(share_.pieces.end(), pieces.begin(), pieces.end());
  }

  /// What a device keeps in the host's memory is no class of its own memory.
  void add_on_host(const std::vector<std::uint64_t>& pieces) { share_.host_pieces = pieces; }

  DeviceShare finish(const MemoryRules& rules, int n_ubatch) {
    share_.host_allocated = rules.allocated(share_.host_pieces);
    share_.allocated = rules.allocated(share_.pieces);
    MemoryClass between = {"between pieces", share_.allocated};
    for (const MemoryClass& c : share_.classes) between.bytes -= c.bytes;
    MemoryClass own = {"staging and parameters", 0};
    for (const std::uint64_t bytes : rules.fixed(n_ubatch)) own.bytes += bytes;
    share_.allocated += own.bytes;
    for (const MemoryClass& rest : {between, own}) {
      if (rest.bytes > 0) share_.classes.push_back(rest);
    }
    return std::move(share_);
  }

 private:
  DeviceShare share_;
};

bool is_host_vector(const TensorSpec& spec) {
  return std::holds_alternative<HostVector ModelWeights::*>(spec.field) ||
         spec.part == TensorPart::scale;
}

bool is_matrix(const TensorSpec& spec) {
  const bool is_linear = std::holds_alternative<Linear LayerWeights::*>(spec.field) ||
                         std::holds_alternative<Linear ModelWeights::*>(spec.field);
  return is_linear && spec.part == TensorPart::weight;
}

MatrixShape shape_of(const gguf::Tensor& tensor) {
  return {.type = tensor.type,
          .rows = static_cast<std::int64_t>(tensor.rows()),
          .columns = static_cast<std::int64_t>(tensor.columns()),
          .n_stacked = static_cast<std::int64_t>(tensor.dims[2])};
}

}  // namespace

std::uint64_t DeviceShare::bytes_of(std::string_view name) const {
  for (const MemoryClass& c : classes) {
    if (c.name == name) return c.bytes;
  }
  return 0;
}

Planner::Planner(const gguf::Reader& file) : hparams_(read_hparams(file, family_of(file))) {
  const FindDims find = [&file](std::string_view name) -> std::optional<Dims> {
    const gguf::Tensor* tensor = file.find_tensor(name);
    return tensor ? std::optional<Dims>({tensor->dims[0], tensor->dims[1], tensor->dims[2]})
                  : std::nullopt;
  };
  check_tensors(file, family_of(file), hparams_);
  is_tied_ = !file.find_tensor("output.weight");
  for (const TensorSpec& spec : tensor_specs(family_of(file), hparams_, find)) {
    const gguf::Tensor* tensor = file.find_tensor(spec.name);
    if (!tensor || is_host_vector(spec)) continue;
    const bool is_table = spec.name.starts_with("token_") || spec.name.starts_with("position_");
    Item item = {.kind = kind_of(spec.name, is_matrix(spec)),
                 .layer = spec.layer,
                 .of_output = spec.name.starts_with("output"),
                 .is_embedding = spec.name == "token_embd.weight",
                 .is_matrix = is_matrix(spec),
                 .matrix = shape_of(*tensor),
                 .floats = static_cast<std::size_t>(tensor->elements())};
    if (item.is_embedding) tied_head_ = item.matrix;
    if (is_table) item.matrix.use = HostMatrix::Use::rows;
    items_.push_back(std::move(item));
  }
}

DeviceShare Planner::share(const Split& split, bool of_gpu, const PlanShape& shape,
                           const MemoryRules& rules) const {
  Tally tally;
  for (const Item& item : items_) {
    const bool on_gpu =
        item.layer >= 0 ? item.layer >= split.first_gpu_layer() : item.of_output && split.has_gpu();
    if (on_gpu != of_gpu) continue;
    MatrixShape matrix = item.matrix;
    if (item.is_embedding && is_tied_ && !split.has_gpu()) matrix.use = HostMatrix::Use::multiply;
    tally.add(item.kind, item.is_matrix ? rules.matrix(matrix) : rules.buffer(item.floats));
  }
  if (of_gpu && split.has_gpu() && is_tied_) tally.add("head", rules.matrix(tied_head_));
  const auto is_here = [&](int layer) { return (layer >= split.first_gpu_layer()) == of_gpu; };
  const std::int64_t most = static_cast<std::int64_t>(shape.n_ctx) * shape.n_slots;
  const auto n_ubatch = static_cast<int>(std::min<std::int64_t>(shape.n_ubatch, most));
  const std::vector<std::uint64_t> kv = rules.kv_cache(
      kv_shape(hparams_, is_here, shape.kv_type, {shape.n_ctx, n_ubatch, shape.n_slots}));
  if (rules.keeps_kv_on_host()) {
    tally.add_on_host(kv);
  } else {
    tally.add("KV cache", kv);
  }
  for (const ScratchSize& size : scratch_sizes(hparams_, n_ubatch, of_gpu == split.has_gpu())) {
    tally.add("scratch", rules.buffer(static_cast<std::size_t>(size.rows) *
                                      static_cast<std::size_t>(size.columns)));
  }
  return tally.finish(rules, n_ubatch);
}

DeviceShare Planner::gpu_share(int n_gpu_layers, const PlanShape& shape,
                               const MemoryRules& rules) const {
  if (n_gpu_layers == 0) return {};
  return share({n_layer(), n_gpu_layers}, true, shape, rules);
}

DeviceShare Planner::cpu_share(int n_gpu_layers, const PlanShape& shape,
                               const MemoryRules& rules) const {
  return share({n_layer(), n_gpu_layers}, false, shape, rules);
}

int Planner::most_layers(const PlanShape& shape, const MemoryRules& rules,
                         std::uint64_t budget) const {
  for (int n = n_layer(); n > 0; --n) {
    if (gpu_share(n, shape, rules).allocated <= budget) return n;
  }
  return 0;
}

bool Planner::fits(int n_gpu_layers, const PlanShape& shape, const MemoryRules& rules,
                   std::uint64_t budget) const {
  try {
    return gpu_share(n_gpu_layers, shape, rules).allocated <= budget;
  } catch (const Error&) {  // the device cannot have such a cache at all
    return false;
  }
}

int Planner::largest_context(int n_gpu_layers, PlanShape shape, const MemoryRules& rules,
                             std::uint64_t budget, int most) const {
  int low = 0;  // multiples of kContextStep: the last that fits
  int high = std::max(most, kContextStep) / kContextStep + 1;
  while (low + 1 < high) {
    const int middle = low + (high - low) / 2;
    shape.n_ctx = middle * kContextStep;
    (fits(n_gpu_layers, shape, rules, budget) ? low : high) = middle;
  }
  return low * kContextStep;
}

std::optional<KvTypeName> Planner::smaller_kv_type(int n_gpu_layers, PlanShape shape,
                                                   const MemoryRules& rules,
                                                   std::uint64_t budget) const {
  const auto* same = std::find_if(std::begin(kKvTypeNames), std::end(kKvTypeNames),
                                  [&](const KvTypeName& n) { return n.type == shape.kv_type; });
  if (same == std::end(kKvTypeNames)) return {};
  for (const KvTypeName* smaller = same + 1; smaller != std::end(kKvTypeNames); ++smaller) {
    shape.kv_type = smaller->type;
    if (fits(n_gpu_layers, shape, rules, budget)) return *smaller;
  }
  return {};
}

std::string advice(const Planner& planner, int n_gpu_layers, const PlanShape& shape,
                   const MemoryRules& rules, std::uint64_t budget) {
  const DeviceShare share = planner.gpu_share(n_gpu_layers, shape, rules);
  const std::uint64_t needed = share.allocated;
  std::string text = fmt::format(
      "{} of {} layers and a context of {} need {:.1f} MiB of its memory, of which {:.1f} MiB are "
      "free",
      n_gpu_layers, planner.n_layer(), shape.n_ctx, static_cast<double>(needed) / kMiB,
      static_cast<double>(budget) / kMiB);
  std::vector<std::string> fits;
  if (const int n = planner.most_layers(shape, rules, budget); n > 0)
    fits.push_back(fmt::format("-ngl {}", n));
  if (const int n = planner.largest_context(n_gpu_layers, shape, rules, budget, shape.n_ctx);
      n > 0) {
    fits.push_back(fmt::format("-c {}", n));
  }
  if (needed - share.bytes_of("KV cache") <= budget) fits.emplace_back("--kv-device cpu");
  if (const auto smaller = planner.smaller_kv_type(n_gpu_layers, shape, rules, budget))
    fits.push_back(fmt::format("--kv-type {}", smaller->name));
  return text + (fits.empty() ? "; not even one layer fits: -ngl 0 runs on the CPU"
                              : fmt::format("; what fits: {}", fmt::join(fits, ", or ")));
}

}  // namespace hearth

#include "engine/model/graph.h"

#include <fmt/format.h>

#include "engine/device/trace_device.h"
#include "engine/model/forward.h"

namespace hearth {
namespace {

GraphOp describe(const OpRecord& record) {
  GraphOp op{.verb = std::string(record.verb),
             .weight = record.weight,
             .inputs = {},
             .output = {},
             .detail = record.detail};
  for (const Tensor& input : record.inputs) {
    if (!op.inputs.empty()) op.inputs += ", ";
    op.inputs += input.name;
  }
  for (const Tensor& output : record.outputs) {
    if (!op.output.empty()) op.output += ", ";
    op.output += fmt::format("{} [{}]", output.name, output.columns);
  }
  return op;
}

}  // namespace

std::vector<GraphOp> list_graph(const gguf::Reader& file) {
  const Family& family = family_of(file);
  HParams hparams = read_hparams(file, family);
  RecordingDevice device;
  const Placement placement = all_on(device, hparams.n_layer);
  const Model model = load_model(file, family, std::move(hparams), placement);
  Forward forward(model, 1, 1);
  device.clear();
  const std::vector<std::int32_t> token = {0};
  const Tensor hidden = forward.run(token, 0, true);
  std::vector<float> logits(static_cast<std::size_t>(model.hparams.n_vocab));
  if (model.hparams.causal) forward.logits(logits, hidden);
  std::vector<GraphOp> ops;
  for (const OpRecord& record : device.records()) ops.push_back(describe(record));
  return ops;
}

}  // namespace hearth

// hearth inspect --graph: the ops that a model will run, layer by layer.
#include <fmt/format.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/model/graph.h"
#include "tools/cli/inspect_output.h"

namespace hearth::cli {
namespace {

struct Section {
  std::string name;  // "embedding", "blk.0" …, "output"
  std::vector<GraphOp> ops;
};

/// "blk.12" of "blk.12.attn_q.weight"; empty if the tensor is of no layer.
std::string layer_of(const std::string& tensor) {
  if (!tensor.starts_with("blk.")) return {};
  return tensor.substr(0, tensor.find('.', 4));
}

/// Ops without a tensor of their own belong to the section before them.
std::vector<Section> sections_of(const std::vector<GraphOp>& ops) {
  std::vector<Section> sections = {{"embedding", {}}};
  for (const GraphOp& op : ops) {
    const std::string layer = layer_of(op.weight);
    if (!layer.empty() && layer != sections.back().name) sections.push_back({layer, {}});
    if (op.weight.empty() || sections.back().name == "embedding" || !layer.empty()) {
      sections.back().ops.push_back(op);
      continue;
    }
    if (sections.back().name != "output") sections.push_back({"output", {}});
    sections.back().ops.push_back(op);
  }
  return sections;
}

/// The text with "blk.12." taken away wherever it stands.
std::string without_layer(std::string text, const std::string& layer) {
  if (!layer.starts_with("blk.")) return text;
  const std::string prefix = layer + ".";
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    text.erase(at, prefix.size());
  }
  return text;
}

std::string line_of(const GraphOp& op, const std::string& layer) {
  std::string line =
      fmt::format("  {:<14} {:<28} {:<24} -> {:<24} {}", op.verb, without_layer(op.weight, layer),
                  without_layer(op.inputs, layer), op.output, without_layer(op.detail, layer));
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::string text_of(const Section& section) {
  std::string text;
  for (const GraphOp& op : section.ops) text += line_of(op, section.name) + "\n";
  return text;
}

void print_section_text(std::FILE* out, const std::vector<Section>& sections) {
  for (std::size_t i = 0; i < sections.size();) {
    const std::string text = text_of(sections[i]);
    std::size_t next = i + 1;
    while (next < sections.size() && text_of(sections[next]) == text) ++next;
    fmt::print(out, "{}", sections[i].name);
    if (next - i > 1) fmt::print(out, " to {}", sections[next - 1].name);
    fmt::print(out, "\n{}", text);
    i = next;
  }
}

nlohmann::json json_of(const std::vector<GraphOp>& ops) {
  nlohmann::json all = nlohmann::json::array();
  for (const GraphOp& op : ops) {
    all.push_back({{"op", op.verb},
                   {"weight", op.weight},
                   {"inputs", op.inputs},
                   {"output", op.output},
                   {"detail", op.detail}});
  }
  return all;
}

}  // namespace

void print_graph(std::FILE* out, const gguf::Reader& reader, bool as_json) {
  const std::vector<GraphOp> ops = list_graph(reader);
  if (as_json) {
    fmt::print(out, "{}\n",
               json_of(ops).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_section_text(out, sections_of(ops));
  }
}

}  // namespace hearth::cli

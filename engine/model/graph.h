// The verbs that a model will run, without running them and without reading its weights.
#pragma once

#include <string>
#include <vector>

#include "engine/model/hparams.h"
#include "gguf/reader.h"

namespace hearth {

struct GraphOp {
  std::string verb;
  std::string weight;  // the matrix or vector it uses; may be empty
  std::string inputs;  // names, separated by commas
  std::string output;  // name and width, e.g. "q [2048]"; empty for kv_store
  std::string detail;  // its numbers; may be empty
};

/// The forward pass of one token, embedding to logits, in order. Throws Error where loading would.
std::vector<GraphOp> list_graph(const gguf::Reader& file);

}  // namespace hearth

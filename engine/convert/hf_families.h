// What Hugging Face calls the parts of a model, and what GGUF does: a row per family, a rule per
// tensor, a row per number of config.json.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace hearth {

/// What happens to a tensor on its way.
enum class TensorChange : std::uint8_t {
  none,
  drop,  // is not part of the GGUF model
  pair_q,
  pair_k,         // rows of each head: halves to neighbours, as interleaved rotation wants them
  transpose,      // [inputs][outputs] in the checkpoint
  add_one,        // the norm's weight is stored less 1
  skip_two_rows,  // positions that are never used
};

/// "{}" stands for the layer's number. Stems: ".weight" and ".bias" follow on both sides.
struct TensorRule {
  std::string_view from;
  std::string_view to;
  TensorChange change = TensorChange::none;
};

enum class ConfigKind : std::uint8_t { integer, real, text };

/// A number of config.json and the key "{arch}.`to`" that it becomes.
struct ConfigRule {
  std::string_view from;
  std::string_view to;
  ConfigKind kind = ConfigKind::integer;
  bool required = true;
};

/// A name of config.json and a value of it, as JSON.
struct ConfigValue {
  std::string_view name;
  std::string_view json;
};

struct HfFamily {
  std::string_view model_type;                         // of config.json
  std::string_view arch;                               // general.architecture
  std::array<std::span<const TensorRule>, 2> tensors;  // the first rule that fits counts
  std::span<const ConfigRule> config;
  /// What a checkpoint must say, where it says anything: what the engine does. Of several values of
  /// a name each will do.
  std::span<const ConfigValue> demands = {};
  /// What holds where a checkpoint says nothing, as the original's classes have it: files leave it
  /// out when it is so.
  std::span<const ConfigValue> defaults = {};
  bool is_encoder = false;
  /// A prefix that names may have or not: "bert.".
  std::string_view optional_prefix = "model.";
};

std::span<const HfFamily> hf_families();
const HfFamily* find_hf_family(std::string_view model_type);

}  // namespace hearth

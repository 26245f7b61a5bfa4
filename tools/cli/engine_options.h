// The options of every command that runs a model: which model, on what, how large a context.
#pragma once

#include <optional>
#include <string>

#include "engine/runtime/context.h"
#include "gguf/reader.h"

namespace hearth::cli {

class Command;

struct EngineOptions {
  std::string model;  // -m; empty: the built-in model
  int n_threads = 0;  // -t
  int n_ctx = 0;      // -c
  int n_ubatch = 512;
  int n_slots = 1;  // sequences at once
  bool no_repack = false;
  bool pin = false;
  UseBlas blas = UseBlas::off;
  std::optional<QuantType> kv_type = {};  // of the KV caches; none: auto
  std::string device = "cpu";             // cpu, reference, gpu, or which GPU
  std::optional<int> gpu_layers =
      {};                   // -ngl: a number, Offload::kAll or kAsFits; none: as the device says
  bool kv_on_host = false;  // --kv-device cpu
  bool profile = false;     // time of each op on the GPU
  int usual_ctx = kDefaultContext;  // the context without -c, if the model's own is not smaller
};

/// Adds -m, -t, -c, --ubatch, --no-repack, --pin, --blas, --kv-type, --device, --reference, -ngl,
/// --kv-device and --profile.
void add_engine_options(Command& command, EngineOptions& options);

/// What they mean for load_model(). Notes go to stderr.
LoadOptions load_options(const EngineOptions& options);

/// Loads `file` as the options say, with a progress bar.
ModelBundle load_with(const gguf::Reader& file, const EngineOptions& options);

/// With options.profile: where the GPU's time went, on stderr.
void print_profile(const ModelBundle& bundle);

/// The same for a model that has to write text: an encoder is refused.
ModelBundle load_generator(const gguf::Reader& file, const EngineOptions& options);

}  // namespace hearth::cli

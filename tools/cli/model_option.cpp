#include "tools/cli/model_option.h"

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "engine/runtime/builtin_model.h"

namespace hearth::cli {

void add_model_option(CLI::App& command, std::string& path) {
  command.add_option("-m,--model", path, "GGUF file (default: the small built-in model)")
      ->type_name("FILE");
}

std::string model_name(const std::string& path) {
  return path.empty() ? "built-in model" : path;
}

std::span<const std::byte> builtin_bytes() {
  const auto bytes = builtin_model_bytes();
  if (!bytes.empty()) return bytes;
  throw Error({.where = "-m",
               .what = "this build has no built-in model, so one must be given",
               .expected = "-m MODEL.gguf",
               .got = {}});
}

gguf::Reader open_model(const std::string& path) {
  return path.empty() ? gguf::Reader::from_bytes(builtin_bytes(), model_name(path))
                      : gguf::Reader::open(path);
}

}  // namespace hearth::cli

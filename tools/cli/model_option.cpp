#include "tools/cli/model_option.h"

#include "base/error.h"
#include "engine/runtime/builtin_model.h"
#include "tools/cli/command_line.h"

namespace hearth::cli {

Option add_model_option(Command& command, std::string& path) {
  return command.option("-m,--model", path, "GGUF file (default: the small built-in model)")
      .type("FILE");
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

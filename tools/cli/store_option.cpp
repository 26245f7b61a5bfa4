#include "tools/cli/store_option.h"

#include <map>
#include <string>

#include <CLI/CLI.hpp>

namespace hearth::cli {

void add_store_option(CLI::App& command, retrieval::Storage& storage) {
  using retrieval::Storage;
  const std::map<std::string, Storage> storages = {
      {"f32", Storage::f32}, {"f16", Storage::f16}, {"int8", Storage::int8}};
  command
      .add_option("--store", storage,
                  "how a new index keeps vectors: int8 finds candidates fast, then is exact")
      ->transform(CLI::CheckedTransformer(storages))
      ->type_name("f32|f16|int8");
}

}  // namespace hearth::cli

#include "tools/cli/store_option.h"

#include "tools/cli/command_line.h"

namespace hearth::cli {

void add_store_option(Command& command, retrieval::Storage& storage) {
  using retrieval::Storage;
  command.choice("--store", storage,
                 {{"f32", Storage::f32}, {"f16", Storage::f16}, {"int8", Storage::int8}},
                 "how a new index keeps vectors: int8 finds candidates fast, then is exact");
}

}  // namespace hearth::cli

// The option of the commands that make an index: how it keeps vectors.
#pragma once

#include "engine/retrieval/record.h"

namespace CLI {
class App;
}

namespace hearth::cli {

void add_store_option(CLI::App& command, retrieval::Storage& storage);

}  // namespace hearth::cli

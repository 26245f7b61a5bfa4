// The option of the commands that make an index: how it keeps vectors.
#pragma once

#include "engine/retrieval/record.h"

namespace hearth::cli {

class Command;

void add_store_option(Command& command, retrieval::Storage& storage);

}  // namespace hearth::cli

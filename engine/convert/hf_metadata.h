// The numbers of config.json, and what sentence-transformers says of an encoder, as GGUF metadata.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "engine/convert/checkpoint.h"
#include "engine/convert/hf_families.h"
#include "gguf/writer.h"

namespace hearth {

/// `rows_of` gives the rows of a tensor of the result, 0 if it is not there. Throws Error when a
/// number is missing, or the checkpoint asks for something that the engine does not do.
void write_metadata(const Checkpoint& checkpoint, const HfFamily& family,
                    const std::function<std::uint64_t(std::string_view name)>& rows_of,
                    gguf::Writer& writer);

}  // namespace hearth

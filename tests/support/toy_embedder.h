// A small encoder of random weights with a WordPiece vocabulary of letters, as GGUF.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "gguf/writer.h"

namespace hearth::test {

struct ToyEmbedderOptions {
  std::string family = "bert";
  int n_ctx = 64;
  std::uint64_t seed = 1;
  /// Last word on the metadata; keys are "family.…".
  std::function<void(gguf::Writer&)> metadata = {};
};

/// The bytes of the file. Words of letters a to z and digits are spelt out, a token per letter;
/// everything else is unknown.
std::vector<std::byte> toy_embedder(const ToyEmbedderOptions& options = {});

/// Writes it to a file.
void write_toy_embedder(const std::string& path, const ToyEmbedderOptions& options = {});

}  // namespace hearth::test

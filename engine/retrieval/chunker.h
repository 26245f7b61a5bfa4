// Documents cut into pieces that can be found and read by themselves: along headings, question with
// answer, no larger than an embedder looks at.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/retrieval/document.h"

namespace hearth::retrieval {

struct ChunkOptions {
  /// The measure of a text: an embedder's tokens. It grows with the text.
  std::function<int(std::string_view)> count_tokens;
  int max_tokens = 256;     // of a chunk, its headings included
  int overlap_tokens = 32;  // that a chunk repeats of the one before, in the same section
};

struct Chunk {
  std::string text;     // with the path of its headings as first line
  std::string heading;  // "Shipping > Abroad"; empty before the first heading
  int line = 1;         // of the document, where it begins
};

/// In the order of the document. Every chunk fits max_tokens. A section's pairs of question and
/// answer ("Q: …", "질문: …", a line in bold that asks, or a heading that asks) are a chunk each,
/// with the tables of their section where there is room. Each part of an answer that is too long
/// has the question above it, and each of a table that is has the table's head.
std::vector<Chunk> chunk(const std::vector<Block>& blocks, const ChunkOptions& options);

}  // namespace hearth::retrieval

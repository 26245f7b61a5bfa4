// Any bytes as an index file: it is refused, or everything in it can be read and searched.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/retrieval/index.h"
#include "fuzz/fix_index_hashes.h"

namespace {

using namespace hearth;
using namespace hearth::retrieval;

void use(const Index& index) {
  for (std::uint64_t number = 0; number < index.n_numbers(); ++number) {
    if (!index.is_live(number)) continue;
    const RecordView record = index.record(number);
    index.find(record.key);
    if (index.settings().layout.dimension > 0) index.vector(number);
  }
  index.best_words("two words", 3, {{"source", Condition::Is::prefix, "a"}});
  index.word_weights("one");
  const std::vector<float> query(index.settings().layout.dimension, 0.5F);
  if (!query.empty()) index.nearest(query, 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Sections are read as what they are: the bytes must be aligned as a file's map is.
  alignas(64) static std::byte memory[1 << 16];
  if (size > sizeof memory) return 0;
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, memory);
  fix_index_hashes(std::span(memory).first(size));
  try {
    use(Index(std::span(memory).first(size), "fuzz"));
  } catch (const Error&) {
  }
  return 0;
}

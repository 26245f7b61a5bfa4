// Any text as a document of every format: each chunk of it is UTF-8 and fits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/retrieval/chunker.h"
#include "engine/retrieval/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hearth;
  using namespace hearth::retrieval;
  constexpr std::size_t kLongest = 1 << 13;
  if (size > kLongest) return 0;
  const std::string text =
      utf8::sanitize(std::string_view(reinterpret_cast<const char*>(data), size));
  ChunkOptions options;
  options.count_tokens = [](std::string_view part) { return static_cast<int>(part.size()); };
  options.max_tokens = 64;
  options.overlap_tokens = 16;
  for (const Format format : {Format::text, Format::markdown, Format::html}) {
    for (const Chunk& made : chunk(parse_document(text, format), options)) {
      HEARTH_CHECK(options.count_tokens(made.text) <= options.max_tokens);
      HEARTH_CHECK(utf8::first_malformed(made.text) == made.text.size());
      HEARTH_CHECK(made.line >= 1);
    }
  }
  return 0;
}
